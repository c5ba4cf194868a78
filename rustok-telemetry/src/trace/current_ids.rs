//! The ids of the current span, for texts that a person looks up later.

use opentelemetry::{Context, SpanId, TraceId, trace::TraceContextExt};

use super::native;

/// Ids of a span, returned by [`current_ids`].
///
/// Both print as text: lowercase hexadecimal digits, 32 for the trace and 16 for the span, as in log lines and Jaeger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SpanIds {
    /// Id of the trace.
    pub trace_id: TraceId,
    /// Id of the span.
    pub span_id: SpanId,
}

/// Returns the ids of the current span, or `None` outside of a span.
///
/// They are the ids in log lines and in the exported trace: those of the nearest enclosing span that is counted and
/// exported, created by `tracing` or by OpenTelemetry's API. A span that the sampler does not export has ids as well.
/// If telemetry has not been started, is disabled, or has been shut down, there are no ids, unless the service has a
/// subscriber of its own with the layer of `tracing-opentelemetry`.
///
/// ```
/// use rustok_telemetry::trace;
///
/// fn audit(action: &str) -> String {
///     match trace::current_ids() {
///         Some(ids) => format!("{action} trace_id={} span_id={}", ids.trace_id, ids.span_id),
///         None => action.to_owned(),
///     }
/// }
/// assert_eq!(audit("delete"), "delete");
/// ```
pub fn current_ids() -> Option<SpanIds> {
    // A subscriber of the service may not attach the span to the current context.
    Context::map_current(ids).or_else(|| ids(&native::context_of(&tracing::Span::current())))
}

/// Returns the ids of a context's span, unless it is the caller's in another process.
fn ids(context: &Context) -> Option<SpanIds> {
    let span = context.span();
    let span = span.span_context();
    (span.is_valid() && !span.is_remote()).then(|| SpanIds {
        trace_id: span.trace_id(),
        span_id: span.span_id(),
    })
}
