//! W3C Trace Context, [Level 2](https://www.w3.org/TR/trace-context-2/).
//!
//! A malformed `traceparent` counts as absent, and its `tracestate` with it. A version that is not known yet is read as
//! far as the specification tells: the fields of version 00, then the end or a dash. A malformed `tracestate` is
//! dropped as a whole, and leaves `traceparent` as it is.
//!
//! The flag `random-trace-id` (02) belongs to the trace id, so it is passed on as it came, sampled or not. It is not set
//! for a trace that begins here, although the SDK's ids are random: nothing in a context tells such a trace from one that
//! was continued without the flag. Unset means "not known". All other flags are sent as zero.
//!
//! OpenTelemetry's own propagator is not used. It takes ids and flags with too few digits, a dash at the end, and the
//! first of several `traceparent` headers; reads one `tracestate` header only; and writes an empty one.

use std::sync::LazyLock;

use super::{
    carrier, hex,
    trace_state::{self, State},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

const RANDOM_TRACE_ID: u8 = 0b10;
const KNOWN_FLAGS: TraceFlags = TraceFlags::new(1 | RANDOM_TRACE_ID);

/// Reads and writes `traceparent` and `tracestate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceContext;

impl TextMapPropagator for TraceContext {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let span = context.span();
        let span = span.span_context();
        if !span.is_valid() {
            return;
        }
        injector.set(TRACEPARENT, text(context, span));
        let state = trace_state::text(span.trace_state());
        if !state.is_empty() {
            injector.set(TRACESTATE, state);
        } else if let Some(state) = Kept::of(context, span).and_then(|kept| kept.state.clone()) {
            injector.set(TRACESTATE, state);
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let parent = carrier::value(extractor, TRACEPARENT);
        let Some((trace_id, span_id, flags)) = parent.as_deref().and_then(read) else {
            return context.clone();
        };
        let state = carrier::value(extractor, TRACESTATE);
        let (state, refused) = match state.as_deref().map(trace_state::read) {
            Some(State::Held(state)) => (state, None),
            Some(State::Refused(state)) => (TraceState::NONE, Some(state)),
            None => (TraceState::NONE, None),
        };
        let caller = SpanContext::new(trace_id, span_id, flags, true, state);
        let kept = Kept {
            trace_id,
            random_trace_id: flags.to_u8() & RANDOM_TRACE_ID != 0,
            state: refused,
        };
        if kept.random_trace_id || kept.state.is_some() {
            context.with_value(kept).with_remote_span_context(caller)
        } else {
            context.with_remote_span_context(caller)
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 2]> =
            LazyLock::new(|| [TRACEPARENT, TRACESTATE].map(str::to_owned));
        FieldIter::new(&*FIELDS)
    }
}

/// The span of this context as `traceparent` has it.
pub(super) fn text(context: &Context, span: &SpanContext) -> String {
    let mut flags = (span.trace_flags() & KNOWN_FLAGS).to_u8();
    if Kept::of(context, span).is_some_and(|kept| kept.random_trace_id) {
        flags |= RANDOM_TRACE_ID;
    }
    let mut text = String::with_capacity(55);
    text.push_str("00-");
    hex::push(&span.trace_id().to_bytes(), &mut text);
    text.push('-');
    hex::push(&span.span_id().to_bytes(), &mut text);
    text.push('-');
    hex::push(&[flags], &mut text);
    text
}

/// What a caller sent that is passed on with its trace and that the SDK loses: a span that is not sampled has no flags,
/// and a trace state has no key of the newer grammar. A value of the context, which the spans made within it hand on.
#[derive(Debug)]
struct Kept {
    trace_id: TraceId,
    random_trace_id: bool,
    state: Option<String>,
}

impl Kept {
    fn of<'a>(context: &'a Context, span: &SpanContext) -> Option<&'a Self> {
        let kept = context.get::<Self>();
        kept.filter(|kept| kept.trace_id == span.trace_id())
    }
}

/// Reads a header, with white space around it.
fn read(header: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let (version, rest) = field(header.trim_matches([' ', '\t']), 2)?;
    let (trace_id, rest) = field(rest.strip_prefix('-')?, 32)?;
    let (span_id, rest) = field(rest.strip_prefix('-')?, 16)?;
    let (flags, rest) = field(rest.strip_prefix('-')?, 2)?;
    let ends = match version {
        0 => rest.is_empty(),
        0xff => false,
        // A comma joins several headers.
        _ => rest.is_empty() || (rest.starts_with('-') && !rest.contains(',')),
    };
    let trace_id = TraceId::from(trace_id);
    let span_id = SpanId::from(u64::try_from(span_id).ok()?);
    let flags = TraceFlags::new(u8::try_from(flags).ok()?);
    let valid = ends && trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
    valid.then_some((trace_id, span_id, flags & KNOWN_FLAGS))
}

/// A number of exactly so many digits, and what follows.
fn field(text: &str, digits: usize) -> Option<(u128, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    Some((hex::lower_case(number)?, rest))
}
