//! "All spans" for a limited time: spans that the sampler drops are recorded for the console, and not exported.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use super::{json, state::State};

/// The longest time.
pub(super) const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The configured sampler, or more than it.
#[derive(Debug, Clone)]
pub(crate) struct CaptureSampler {
    pub(super) state: Arc<State>,
    pub(super) configured: Box<dyn ShouldSample>,
}

impl ShouldSample for CaptureSampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let configured = &self.configured;
        let mut result = configured.should_sample(parent, trace_id, name, kind, attributes, links);
        if result.decision == SamplingDecision::Drop && self.state.captures_all() {
            result.decision = SamplingDecision::RecordOnly;
        }
        result
    }
}

impl State {
    pub(super) fn captures_all(&self) -> bool {
        // Reads the clock only during a capture.
        let until = self.all_spans_until.load(Ordering::Relaxed);
        until != 0 && json::now() < until
    }

    /// Records all spans for this time; none if it is zero.
    pub(super) fn capture_for(&self, time: Duration) {
        let milliseconds = time.min(LONGEST).as_millis() as u64;
        let until = match milliseconds {
            0 => 0,
            milliseconds => json::now() + milliseconds,
        };
        self.all_spans_until.store(until, Ordering::Relaxed);
        if until != 0 {
            self.thinning.keep_all();
        }
    }

    /// Returns the end of the time, in milliseconds since 1970.
    pub(super) fn captures_until(&self) -> Option<u64> {
        let until = self.all_spans_until.load(Ordering::Relaxed);
        self.captures_all().then_some(until)
    }
}
