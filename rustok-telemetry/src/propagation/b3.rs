//! B3, the format of Zipkin: a single header `b3`, or several headers `X-B3-*`.
//!
//! Both forms are extracted, `b3` first; the configured one is injected. A trace id may have 16 digits. The caller's
//! sampling state is preserved: none (deferred to this process), a decision without ids, and debug.
//!
//! `opentelemetry-zipkin` 0.33.0 is not used, because its propagator injects `b3: 0` without a span, which disables the
//! next service's traces; reads the debug flag `d` and a deferred decision as "not sampled"; drops a decision without
//! ids; stores debug and deferral in reserved trace flags, which then appear in `traceparent`; and accepts ids with a
//! plus sign.

use std::sync::LazyLock;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceFlags},
};

use super::{
    carrier,
    hex::{lower_case, remote_span},
};
use crate::trace::remote_sampling::Sampling;

const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";

/// The form that is injected. Both are extracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum B3 {
    /// `b3: {trace id}-{span id}-{sampling state}`.
    Single,
    /// `X-B3-TraceId`, `X-B3-SpanId`, and `X-B3-Sampled` or `X-B3-Flags`.
    Multi,
}

impl TextMapPropagator for B3 {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let span = context.span();
        let span = span.span_context();
        if !span.is_valid() {
            return;
        }
        let (trace_id, span_id) = (span.trace_id(), span.span_id());
        let state = if Sampling::is_debug(context) {
            Some("d")
        } else if Sampling::is_open(context) {
            None
        } else if span.is_sampled() {
            Some("1")
        } else {
            Some("0")
        };
        match (self, state) {
            (Self::Single, None) => injector.set(SINGLE, format!("{trace_id}-{span_id}")),
            (Self::Single, Some(state)) => {
                injector.set(SINGLE, format!("{trace_id}-{span_id}-{state}"));
            }
            (Self::Multi, _) => {
                injector.set(TRACE_ID, trace_id.to_string());
                injector.set(SPAN_ID, span_id.to_string());
                match state {
                    // Debug implies that the trace is sampled.
                    Some("d") => injector.set(FLAGS, "1".to_owned()),
                    Some(state) => injector.set(SAMPLED, state.to_owned()),
                    None => {}
                }
            }
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let single = || Caller::of_single(&carrier::value(extractor, SINGLE)?);
        match single().or_else(|| Caller::of_multi(extractor)) {
            Some(caller) => caller.within(context),
            None => context.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        // Both forms, because the receiver also reads a stale header of the other form.
        static FIELDS: LazyLock<[String; 5]> =
            LazyLock::new(|| [SINGLE, TRACE_ID, SPAN_ID, SAMPLED, FLAGS].map(str::to_owned));
        FieldIter::new(&*FIELDS)
    }
}

/// A sampling decision of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Deny,
    Accept,
    Debug,
}

impl State {
    fn of_single(letter: &str) -> Option<Self> {
        match letter {
            "0" => Some(Self::Deny),
            "1" => Some(Self::Accept),
            "d" => Some(Self::Debug),
            _ => None,
        }
    }

    /// Reads `X-B3-Sampled`. Old tracers send `true` and `false`.
    fn of_multi(value: &str) -> Option<Self> {
        match value.to_ascii_lowercase().as_str() {
            "0" | "false" => Some(Self::Deny),
            "1" | "true" => Some(Self::Accept),
            _ => None,
        }
    }
}

/// The content of well-formed headers. At least one of the two is present.
struct Caller {
    span: Option<SpanContext>,
    state: Option<State>,
}

impl Caller {
    /// Reads `{trace id}-{span id}`, `…-{state}`, `…-{state}-{parent's span id}`, or the state alone.
    fn of_single(header: &str) -> Option<Self> {
        let parts: Vec<_> = header.trim().splitn(5, '-').collect();
        match parts[..] {
            [state] => Self::new(None, Some(State::of_single(state)?)),
            [trace_id, span_id] => Self::new(Some((trace_id, span_id)), None),
            [trace_id, span_id, state, ref parent @ ..] => {
                let is_well_formed = match parent {
                    [] => true,
                    [parent] => id(parent, &[16]).is_some(),
                    _ => false,
                };
                let state = State::of_single(state).filter(|_| is_well_formed)?;
                Self::new(Some((trace_id, span_id)), Some(state))
            }
            [] => None,
        }
    }

    fn of_multi(headers: &dyn Extractor) -> Option<Self> {
        let values = [TRACE_ID, SPAN_ID, SAMPLED, FLAGS].map(|name| carrier::value(headers, name));
        let [trace_id, span_id, sampled, flags] = values
            .each_ref()
            .map(|value| value.as_deref().map(str::trim));
        let state = match (flags, sampled) {
            (Some("1"), _) => Some(State::Debug),
            (_, Some(sampled)) => Some(State::of_multi(sampled)?),
            (_, None) => None,
        };
        match (trace_id, span_id) {
            (Some(trace_id), Some(span_id)) => Self::new(Some((trace_id, span_id)), state),
            (None, None) => Self::new(None, Some(state?)),
            _ => None,
        }
    }

    fn new(ids: Option<(&str, &str)>, state: Option<State>) -> Option<Self> {
        let is_sampled = matches!(state, Some(State::Accept | State::Debug));
        let flags = TraceFlags::default().with_sampled(is_sampled);
        let span = match ids {
            Some((trace_id, span_id)) => {
                let (trace_id, span_id) = (id(trace_id, &[16, 32])?, id(span_id, &[16])?);
                Some(remote_span(trace_id, span_id, flags)?)
            }
            None => None,
        };
        Some(Self { span, state })
    }

    fn within(self, context: &Context) -> Context {
        let sampling = match (self.state, &self.span) {
            (Some(State::Debug), _) => Sampling::Debug,
            (None, _) => Sampling::Deferred,
            (Some(_), Some(_)) => Sampling::Decided,
            (Some(State::Accept), None) => Sampling::Accepted,
            (Some(State::Deny), None) => Sampling::Denied,
        };
        let context = context.with_value(sampling);
        match self.span {
            Some(span) => context.with_remote_span_context(span),
            None => context,
        }
    }
}

/// Reads an id that has one of these lengths.
fn id(digits: &str, lengths: &[usize]) -> Option<u128> {
    lower_case(digits).filter(|_| lengths.contains(&digits.len()))
}
