//! The exporter of metrics. One export has the metrics that the SDK collected (`collected.rs`), the native ones and
//! those of registries of other libraries (`native.rs`). The last export ends the series that hold only while the process
//! runs (`state.rs`).
//!
//! The [push reader](crate::metrics::push_reader) calls the exporter on its thread.

mod collected;
mod native;
mod state;

use std::{mem, thread, time::SystemTime};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest, common::v1::InstrumentationScope,
    metrics::v1::ScopeMetrics,
};
use opentelemetry_sdk::{error::OTelSdkResult, metrics::data};
use tokio::runtime::Handle;

use self::{
    native::Times,
    state::{StateExport, StateSeries},
};
use super::{
    ConnectionRuntime,
    requests::{RESOURCE, Requests, SCOPE},
    sender::{Export, Exported, Sender},
};
use crate::{
    InitError,
    config::MetricsConfig,
    lifecycle::{self, Stage},
    metrics::{
        bridge::{self, Gathered},
        meter_provider::scope,
        push_reader::PushExporter,
        snapshot,
    },
};

/// Exports metrics. Native metrics start when the exporter is created.
#[derive(Debug)]
pub(crate) struct MetricExporter {
    start: SystemTime,
    sender: Sender,
    state: StateSeries,
    runtime: Handle,
}

impl MetricExporter {
    pub(crate) fn new(
        config: &MetricsConfig,
        runtime: &mut ConnectionRuntime,
    ) -> Result<Self, InitError> {
        let (limit, interval) = (config.timeout.value, config.interval.value);
        Ok(Self {
            start: SystemTime::now(),
            sender: Sender::new(&config.otlp, limit, interval, runtime)?,
            state: StateSeries::default(),
            runtime: runtime.handle()?,
        })
    }
}

impl PushExporter for MetricExporter {
    fn export(&mut self, collected: &data::ResourceMetrics) -> OTelSdkResult {
        // The export of a shutdown is the last one.
        let is_last = lifecycle::stage() == Stage::Stopping;
        let state = self.state.begin_export(is_last);
        let requests = requests(collected, &bridge::gather(), self.start, state);
        self.sender.restart_retries();
        let mut export = Export::from(requests);
        loop {
            let Exported { result, unsent } = self.runtime.block_on(self.sender.export(export));
            if let Some(result) = result {
                return result;
            }
            thread::sleep(unsent.pause);
            export = unsent;
        }
    }
}

/// Encodes the metrics that the SDK collected, and the native and gathered ones, which start at `start`.
fn requests(
    collected: &data::ResourceMetrics,
    gathered: &Gathered,
    start: SystemTime,
    mut state: StateExport<'_>,
) -> Requests {
    let times = Times::from(start);
    let mut requests = Requests::new();
    let own_scope = InstrumentationScope::from((&scope(), None));
    let registries = InstrumentationScope {
        name: bridge::SCOPE.to_owned(),
        ..InstrumentationScope::default()
    };
    for mut resource in ExportMetricsServiceRequest::from(collected).resource_metrics {
        let mut scopes = mem::take(&mut resource.scope_metrics);
        if !scopes.iter().any(|metrics| is_of(metrics, &own_scope)) {
            scopes.push(empty(&own_scope));
        }
        requests.open(RESOURCE, &resource);
        for mut metrics in scopes {
            let all = mem::take(&mut metrics.metrics);
            requests.open(SCOPE, &metrics);
            for mut metric in all {
                if is_of(&metrics, &own_scope) {
                    collected::add_exemplars(&mut metric);
                } else if let Some(scope) = &metrics.scope
                    && let Some(help) = snapshot::later_help(&scope.name, &metric.name)
                {
                    help.clone_into(&mut metric.description);
                }
                collected::add(metric, &mut state, &mut requests);
            }
            if is_of(&metrics, &own_scope) {
                native::add_all(snapshot::native(), times, &mut state, &mut requests);
            }
            requests.close();
        }
        if !gathered.is_empty() {
            requests.open(SCOPE, &empty(&registries));
            let gathered = snapshot::gathered(gathered);
            native::add_all(gathered, times, &mut state, &mut requests);
            requests.close();
        }
        requests.close();
    }
    requests
}

fn is_of(metrics: &ScopeMetrics, scope: &InstrumentationScope) -> bool {
    metrics.scope.as_ref() == Some(scope)
}

fn empty(scope: &InstrumentationScope) -> ScopeMetrics {
    ScopeMetrics {
        scope: Some(scope.clone()),
        metrics: Vec::new(),
        schema_url: String::new(),
    }
}
