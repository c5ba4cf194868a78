//! The tracer provider: sampler and limits.

use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracerProvider, ShouldSample, TracerProviderBuilder},
};

use super::{SpanLimits, UniqueTracerProvider};
use crate::config::TracesConfig;

/// Builds the provider. `add` sets the sampler, given the configured one, and adds the processors. Without one, spans
/// still get ids, so that propagation and logs work.
pub(crate) fn build(
    config: &TracesConfig,
    resource: Resource,
    add: impl FnOnce(TracerProviderBuilder, SpanLimits, Box<dyn ShouldSample>) -> TracerProviderBuilder,
) -> UniqueTracerProvider {
    let limits = SpanLimits::new(&config.limits);
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let sampler = super::sampler::sampler(config.sampler.value);
    UniqueTracerProvider::new(add(builder, limits, sampler), limits)
}
