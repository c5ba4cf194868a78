//! The configured sampler.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt, TraceId},
};
use opentelemetry_sdk::trace::{ParentBasedSampler, Sampler, SamplingResult, ShouldSample};

use super::remote_sampling::Sampling;
use crate::config;

/// Creates the sampler of the configuration.
pub(super) fn sampler(sampler: config::Sampler) -> Box<dyn ShouldSample> {
    match sampler {
        config::Sampler::AlwaysOn => Box::new(Sampler::AlwaysOn),
        config::Sampler::AlwaysOff => Box::new(Sampler::AlwaysOff),
        config::Sampler::TraceIdRatio(ratio) => Box::new(Sampler::TraceIdRatioBased(ratio)),
        config::Sampler::ParentBasedAlwaysOn => parent_based(Sampler::AlwaysOn),
        config::Sampler::ParentBasedAlwaysOff => parent_based(Sampler::AlwaysOff),
        config::Sampler::ParentBasedTraceIdRatio(ratio) => {
            parent_based(Sampler::TraceIdRatioBased(ratio))
        }
    }
}

/// Follows the caller's decision, and `root` without one.
fn parent_based(root: Sampler) -> Box<dyn ShouldSample> {
    let root = RemoteDecisionSampler { root };
    Box::new(ParentBasedSampler::new(root.clone()).with_remote_parent_not_sampled(root))
}

/// Follows [`Sampling`] for a caller whose span context is absent or not sampled.
#[derive(Debug, Clone)]
struct RemoteDecisionSampler {
    root: Sampler,
}

impl ShouldSample for RemoteDecisionSampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let decision = parent.map_or(Sampling::Decided, Sampling::of);
        let has_ids = parent.is_some_and(|parent| parent.span().span_context().is_valid());
        let sampler = match decision {
            Sampling::Deferred if has_ids => &self.root,
            _ if has_ids => &Sampler::AlwaysOff,
            Sampling::Accepted | Sampling::Debug => &Sampler::AlwaysOn,
            Sampling::Denied => &Sampler::AlwaysOff,
            Sampling::Decided | Sampling::Deferred => &self.root,
        };
        sampler.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}
