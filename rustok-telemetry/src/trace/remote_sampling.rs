//! What a caller said about sampling, where the flags of a span context cannot say it.
//!
//! OpenTelemetry knows "sampled" and "not sampled". B3 and Jaeger know more: a caller may leave the decision to this
//! process, may have decided before it made any ids, or may ask every process to keep the trace ("debug").

use opentelemetry::{Context, trace::TraceContextExt};

/// A value of the context, which the spans made within it hand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// The flags of the span context say all that there is to say.
    Decided,
    /// The caller made ids, and left the decision to this process.
    Deferred,
    /// The caller made no ids, and wants the trace to be recorded.
    Accepted,
    /// The caller made no ids, and wants the trace not to be recorded.
    Denied,
    /// Every process is to record this trace, and to tell the next one so.
    Debug,
}

impl Sampling {
    /// What the nearest remote caller of this context said.
    pub(crate) fn of(context: &Context) -> Self {
        context.get().copied().unwrap_or(Self::Decided)
    }

    /// Whether the next process is to be told that this is a debug trace.
    pub(crate) fn is_debug(context: &Context) -> bool {
        Self::of(context) == Self::Debug && context.span().span_context().is_sampled()
    }

    /// Whether nobody has decided yet: a context that is passed on without a span of this process.
    pub(crate) fn is_open(context: &Context) -> bool {
        Self::of(context) == Self::Deferred && context.span().span_context().is_remote()
    }
}
