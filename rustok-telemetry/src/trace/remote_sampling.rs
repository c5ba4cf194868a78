//! Sampling decisions of remote callers that a span context cannot express.
//!
//! OpenTelemetry has "sampled" and "not sampled". With B3 and Jaeger a caller can also defer the decision to this
//! process, decide without sending ids, or request that every process records the trace ("debug").

use opentelemetry::{Context, trace::TraceContextExt};

/// The caller's decision, a value of the OpenTelemetry context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// The flags of the span context are the decision.
    Decided,
    /// The caller sent ids and deferred the decision to this process.
    Deferred,
    /// The caller sent no ids and requests recording.
    Accepted,
    /// The caller sent no ids and requests no recording.
    Denied,
    /// Every process records the trace and propagates the request.
    Debug,
}

impl Sampling {
    /// Returns the decision of the nearest remote caller.
    pub(crate) fn of(context: &Context) -> Self {
        context.get().copied().unwrap_or(Self::Decided)
    }

    /// Whether to propagate the debug request.
    pub(crate) fn is_debug(context: &Context) -> bool {
        Self::of(context) == Self::Debug && context.span().span_context().is_sampled()
    }

    /// Whether the decision is still deferred: the context is propagated without a span of this process.
    pub(crate) fn is_open(context: &Context) -> bool {
        Self::of(context) == Self::Deferred && context.span().span_context().is_remote()
    }
}
