//! The interface between the native layer and the exporter of spans.

use std::{fmt, time::SystemTime};

use opentelemetry::{
    InstrumentationScope, SpanId,
    trace::{SpanContext, SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;

/// Exports and observes spans.
pub(crate) trait SpanSink: fmt::Debug + Send + Sync {
    /// Counts a span that is recorded from now on.
    fn started(&self, span: &SpanContext);

    /// Takes a span that was counted; `encode` writes its message of OTLP, as often as it is called.
    fn ended(&self, span: &EndedSpan<'_>, encode: &dyn Fn(&mut Vec<u8>));

    /// Returns whether the exporter has shut down. Spans then get no ids.
    fn is_shut_down(&self) -> bool;
}

/// The properties of an ended span that need no decoding.
#[derive(Debug)]
pub(crate) struct EndedSpan<'a> {
    pub(crate) context: &'a SpanContext,
    /// Whether its parent is a span of this process.
    #[cfg_attr(
        not(feature = "console"),
        expect(dead_code, reason = "for the console")
    )]
    pub(crate) has_local_parent: bool,
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
    #[cfg_attr(
        not(feature = "console"),
        expect(dead_code, reason = "for the console")
    )]
    pub(crate) kind: &'a SpanKind,
    pub(crate) has_error: bool,
    pub(crate) scope: &'a InstrumentationScope,
}

impl<'a> From<&'a SpanData> for EndedSpan<'a> {
    fn from(span: &'a SpanData) -> Self {
        Self {
            context: &span.span_context,
            has_local_parent: span.parent_span_id != SpanId::INVALID && !span.parent_span_is_remote,
            start: span.start_time,
            end: span.end_time,
            kind: &span.span_kind,
            has_error: matches!(span.status, Status::Error { .. }),
            scope: &span.instrumentation_scope,
        }
    }
}
