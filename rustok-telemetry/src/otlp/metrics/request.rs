//! The request of one export.

use std::time::SystemTime;

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::InstrumentationScope,
    metrics::v1::{Metric, ResourceMetrics, ScopeMetrics},
};
use opentelemetry_sdk::metrics::data;

use super::own::{self, Times};
use crate::metrics::meter_provider::{WAKE_SCOPE, scope};

/// What the SDK has collected, and what we keep, which counts from `start`.
pub(super) fn build(
    collected: &data::ResourceMetrics,
    start: SystemTime,
) -> ExportMetricsServiceRequest {
    let own = own::metrics(Times::from(start));
    let mut request = ExportMetricsServiceRequest::from(collected);
    if let Some(of_the_process) = request.resource_metrics.first_mut() {
        of_the_process.scope_metrics.retain(is_shown);
        add(of_the_process, own);
    }
    request
}

fn is_shown(metrics: &ScopeMetrics) -> bool {
    let scope = metrics.scope.as_ref();
    scope.is_none_or(|scope| scope.name != WAKE_SCOPE)
}

/// Adds our metrics to what the SDK has of the same scope.
fn add(all: &mut ResourceMetrics, own: Vec<Metric>) {
    if own.is_empty() {
        return;
    }
    let scope = Some(InstrumentationScope::from((&scope(), None)));
    let mut scopes = all.scope_metrics.iter_mut();
    match scopes.find(|metrics| metrics.scope == scope) {
        Some(same) => same.metrics.extend(own),
        None => all.scope_metrics.push(ScopeMetrics {
            scope,
            metrics: own,
            schema_url: String::new(),
        }),
    }
}
