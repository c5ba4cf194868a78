//! W3C Trace Context as OpenTelemetry's own propagator has it, for less: a request's headers are read in a tenth of the
//! time, as long as they look like those that everybody writes.

use std::str::FromStr;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::hex;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// Reads and writes `traceparent` and `tracestate`.
#[derive(Debug, Default)]
pub(super) struct TraceContext {
    /// Reads what is unusual.
    own: TraceContextPropagator,
}

impl TextMapPropagator for TraceContext {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let span = context.span();
        let span = span.span_context();
        if span.is_valid() {
            injector.set(TRACEPARENT, text(span, TraceFlags::SAMPLED));
            injector.set(TRACESTATE, span.trace_state().header());
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let parent = extractor.get(TRACEPARENT).and_then(read);
        let Some((trace_id, span_id, flags)) = parent else {
            return self.own.extract_with_context(context, extractor);
        };
        let state = extractor.get(TRACESTATE);
        let state = state.and_then(|state| TraceState::from_str(state).ok());
        let state = state.unwrap_or_default();
        let caller = SpanContext::new(trace_id, span_id, flags, true, state);
        context.with_remote_span_context(caller)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.own.fields()
    }
}

/// A span as in `traceparent`, with those of its flags that are to be told.
pub(super) fn text(span: &SpanContext, flags: TraceFlags) -> String {
    let mut text = String::with_capacity(55);
    text.push_str("00-");
    hex::push(&span.trace_id().to_bytes(), &mut text);
    text.push('-');
    hex::push(&span.span_id().to_bytes(), &mut text);
    text.push('-');
    hex::push(&[(span.trace_flags() & flags).to_u8()], &mut text);
    text
}

/// Reads a header of the version 00 that has nothing wrong.
fn read(header: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let digits = header.strip_prefix("00-")?;
    let (trace_id, rest) = digits.split_at_checked(32)?;
    let (span_id, flags) = rest.strip_prefix('-')?.split_at_checked(16)?;
    let flags = flags.strip_prefix('-').filter(|flags| flags.len() == 2)?;
    let trace_id = TraceId::from(hex::lower_case(trace_id)?);
    let span_id = SpanId::from(u64::try_from(hex::lower_case(span_id)?).ok()?);
    let flags = TraceFlags::new(u8::try_from(hex::lower_case(flags)?).ok()?);
    let valid = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
    valid.then_some((trace_id, span_id, flags & TraceFlags::SAMPLED))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const USUAL: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    type Headers = HashMap<String, String>;

    /// What a propagator reads, and what it writes then.
    fn through(propagator: &dyn TextMapPropagator, headers: &Headers) -> (SpanContext, Headers) {
        let context = propagator.extract_with_context(&Context::new(), headers);
        let mut written = Headers::new();
        propagator.inject_context(&context, &mut written);
        (context.span().span_context().clone(), written)
    }

    fn assert_same(parent: &str, state: Option<&str>) {
        let mut headers = Headers::from([(TRACEPARENT.to_owned(), parent.to_owned())]);
        headers.extend(state.map(|state| (TRACESTATE.to_owned(), state.to_owned())));
        let theirs = through(&TraceContextPropagator::new(), &headers);
        assert_eq!(
            through(&TraceContext::default(), &headers),
            theirs,
            "{headers:?}"
        );
    }

    #[test]
    fn the_usual_header_is_read_here_and_what_is_unusual_is_not() {
        assert!(read(USUAL).is_some());
        for unusual in [
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47ä-00f067aa0ba902b7-01",
            "",
        ] {
            assert_eq!(read(unusual), None, "{unusual}");
            assert_same(unusual, None);
        }
    }

    #[test]
    fn flags_and_states_are_those_that_opentelemetry_reads() {
        for flags in ["00", "01", "02", "03", "ff", "0g"] {
            let parent = format!("{}{flags}", &USUAL[..53]);
            for state in [None, Some(""), Some("a=b,c=d"), Some("no state")] {
                assert_same(&parent, state);
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_read_otherwise_than_by_opentelemetry(
            place in 0..USUAL.len(),
            letter in "[0-9a-fA-Fg+ -]?",
            state in proptest::option::of("[a-z=,]{0,12}"),
        ) {
            let parent = format!("{}{letter}{}", &USUAL[..place], &USUAL[place + 1..]);
            assert_same(&parent, state.as_deref());
        }

        #[test]
        fn any_text_is_taken_without_panic(parent in ".{0,60}", state in ".{0,20}") {
            assert_same(&parent, Some(&state));
        }
    }
}
