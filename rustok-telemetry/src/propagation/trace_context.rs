//! W3C Trace Context, [Level 2](https://www.w3.org/TR/trace-context-2/).
//!
//! A malformed `traceparent` is ignored, together with its `tracestate`. Of an unknown version the fields of version 00
//! are read, as the specification requires: they end the header, or a dash follows. A malformed `tracestate` is dropped
//! as a whole, and `traceparent` is kept.
//!
//! The flag `random-trace-id` (02) is a property of the trace id, so it is propagated unchanged, sampled or not. New
//! traces do not set it, although the SDK's ids are random: a context does not tell a new trace from one that was
//! continued without the flag, and unset means "unknown". All other flags are injected as 0.
//!
//! OpenTelemetry's propagator is not used: it accepts ids and flags with too few digits, a trailing dash, and the first
//! of several `traceparent` headers; reads only one `tracestate` header; and injects an empty one.

use std::sync::LazyLock;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceId, TraceState},
};

use super::{
    carrier, hex,
    trace_state::{self, State},
};

pub(super) const PARENT: &str = "traceparent";
pub(super) const STATE: &str = "tracestate";

const RANDOM_TRACE_ID: u8 = 0b10;
const KNOWN_FLAGS: TraceFlags = TraceFlags::new(1 | RANDOM_TRACE_ID);

/// The propagator of `traceparent` and `tracestate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceContext;

impl TextMapPropagator for TraceContext {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let span = context.span();
        let span = span.span_context();
        if !span.is_valid() {
            return;
        }
        injector.set(PARENT, text(context, span));
        let state = trace_state::text(span.trace_state());
        if !state.is_empty() {
            injector.set(STATE, state);
        } else if let Some(state) = Kept::of(context, span).and_then(|kept| kept.state.clone()) {
            injector.set(STATE, state);
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let parent = carrier::value(extractor, PARENT);
        let Some(parent) = parent.as_deref().and_then(read) else {
            return context.clone();
        };
        let state = carrier::value(extractor, STATE);
        let (state, refused) = match state.as_deref().map(trace_state::read) {
            Some(State::Held(state)) => (state, None),
            Some(State::Refused(state)) => (TraceState::NONE, Some(state)),
            None => (TraceState::NONE, None),
        };
        let (trace_id, flags) = (parent.trace_id(), parent.trace_flags());
        let caller = SpanContext::new(trace_id, parent.span_id(), flags, true, state);
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
        static FIELDS: LazyLock<[String; 2]> = LazyLock::new(|| [PARENT, STATE].map(str::to_owned));
        FieldIter::new(&*FIELDS)
    }
}

/// Returns the value of `traceparent` for the span of this context.
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

/// The parts of the caller's headers that the SDK drops: it clears the flags of a span that is not sampled, and rejects
/// trace state keys of the Level 2 grammar. Stored in the context, and so inherited by the spans within it.
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

/// Reads a header, which may have surrounding white space.
fn read(header: &str) -> Option<SpanContext> {
    let (version, rest) = field(header.trim_matches([' ', '\t']), 2)?;
    let (trace_id, rest) = field(rest.strip_prefix('-')?, 32)?;
    let (span_id, rest) = field(rest.strip_prefix('-')?, 16)?;
    let (flags, rest) = field(rest.strip_prefix('-')?, 2)?;
    let ends = match version {
        0 => rest.is_empty(),
        0xff => false,
        // A comma joins repeated headers.
        _ => rest.is_empty() || (rest.starts_with('-') && !rest.contains(',')),
    };
    let flags = TraceFlags::new(u8::try_from(flags).ok()?) & KNOWN_FLAGS;
    hex::remote_span(trace_id, span_id, flags).filter(|_| ends)
}

/// Reads a number of exactly this many digits, and returns it with the rest of the text.
fn field(text: &str, digits: usize) -> Option<(u128, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    Some((hex::lower_case(number)?, rest))
}
