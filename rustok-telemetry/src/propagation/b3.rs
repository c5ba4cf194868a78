//! B3, the format of Zipkin: one header `b3`, or several that begin with `X-B3-`.
//!
//! Both forms are read, `b3` first; one of them is written. A repeated header is malformed. Ids of traces may have 16 digits. What a caller says about
//! sampling is kept: nothing (this process decides), a decision without ids, and "debug".
//!
//! `opentelemetry-zipkin` 0.33.0 has a propagator for this too, which is not used because of what it does: it writes
//! `b3: 0` where there is no span, which turns off the traces of the next service; takes the debug flag `d` for "not
//! sampled"; takes a decision that was left to this process for "not sampled", and loses one that came without ids;
//! keeps debug and deferral in reserved bits of the trace flags, so that they come out in `traceparent`; and takes ids
//! with a plus sign.

use std::sync::LazyLock;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt},
};

use super::{
    carrier,
    hex::{caller, number},
};
use crate::trace::remote_sampling::Sampling;

const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";

/// Writes one of the two forms, and reads both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum B3 {
    /// `b3: {trace id}-{span id}-{sampling}`.
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
            Some(State::Debug)
        } else if Sampling::is_open(context) {
            None
        } else if span.is_sampled() {
            Some(State::Accept)
        } else {
            Some(State::Deny)
        };
        match (self, state) {
            (Self::Single, None) => injector.set(SINGLE, format!("{trace_id}-{span_id}")),
            (Self::Single, Some(state)) => {
                injector.set(SINGLE, format!("{trace_id}-{span_id}-{}", state.letter()));
            }
            (Self::Multi, state) => {
                injector.set(TRACE_ID, trace_id.to_string());
                injector.set(SPAN_ID, span_id.to_string());
                match state {
                    // It implies that the trace is sampled.
                    Some(State::Debug) => injector.set(FLAGS, "1".to_owned()),
                    Some(state) => injector.set(SAMPLED, state.letter().to_owned()),
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
        static FIELDS: LazyLock<[String; 5]> =
            LazyLock::new(|| [SINGLE, TRACE_ID, SPAN_ID, SAMPLED, FLAGS].map(str::to_owned));
        // Those of the other form too: where they are left from another request, the receiver reads them.
        FieldIter::new(&*FIELDS)
    }
}

/// A decision about sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Deny,
    Accept,
    Debug,
}

impl State {
    fn letter(self) -> &'static str {
        match self {
            Self::Deny => "0",
            Self::Accept => "1",
            Self::Debug => "d",
        }
    }

    fn of_letter(letter: &str) -> Option<Self> {
        let all = [Self::Deny, Self::Accept, Self::Debug];
        all.into_iter().find(|state| state.letter() == letter)
    }

    /// Old tracers write words.
    fn of_header(value: &str) -> Option<Self> {
        match value {
            "0" => Some(Self::Deny),
            "1" => Some(Self::Accept),
            _ if value.eq_ignore_ascii_case("false") => Some(Self::Deny),
            _ if value.eq_ignore_ascii_case("true") => Some(Self::Accept),
            _ => None,
        }
    }
}

/// What well-formed headers say. At least one of the two is there.
struct Caller {
    span: Option<SpanContext>,
    state: Option<State>,
}

impl Caller {
    /// `{trace id}-{span id}`, `…-{sampling}`, `…-{sampling}-{parent's span id}`, or the sampling alone.
    fn of_single(header: &str) -> Option<Self> {
        let parts: Vec<_> = header.trim().splitn(5, '-').collect();
        match parts[..] {
            [letter] => Self::new(None, Some(State::of_letter(letter)?)),
            [trace_id, span_id] => Self::new(Some((trace_id, span_id)), None),
            [trace_id, span_id, letter] => {
                Self::new(Some((trace_id, span_id)), Some(State::of_letter(letter)?))
            }
            [trace_id, span_id, letter, parent] => {
                id(parent, &[16])?;
                Self::new(Some((trace_id, span_id)), Some(State::of_letter(letter)?))
            }
            _ => None,
        }
    }

    fn of_multi(headers: &dyn Extractor) -> Option<Self> {
        let values = [TRACE_ID, SPAN_ID, SAMPLED, FLAGS].map(|name| carrier::value(headers, name));
        let [trace_id, span_id, sampled, flags] = values
            .each_ref()
            .map(|value| value.as_deref().map(str::trim));
        let state = match (flags, sampled) {
            (Some("1"), _) => Some(State::Debug),
            (_, Some(sampled)) => Some(State::of_header(sampled)?),
            (_, None) => None,
        };
        match (trace_id, span_id) {
            (Some(trace_id), Some(span_id)) => Self::new(Some((trace_id, span_id)), state),
            (None, None) => Self::new(None, Some(state?)),
            _ => None,
        }
    }

    fn new(ids: Option<(&str, &str)>, state: Option<State>) -> Option<Self> {
        let sampled = matches!(state, Some(State::Accept | State::Debug));
        let span = match ids {
            Some((trace_id, span_id)) => Some(caller(
                id(trace_id, &[16, 32])?,
                id(span_id, &[16])?,
                sampled,
            )?),
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

/// An id of one of these lengths, in lower case as the format has it.
fn id(digits: &str, lengths: &[usize]) -> Option<u128> {
    let well_formed =
        lengths.contains(&digits.len()) && !digits.bytes().any(|digit| digit.is_ascii_uppercase());
    well_formed.then(|| number(digits)).flatten()
}

#[cfg(test)]
mod tests;
