//! The SDK reader that collects when it is asked to: for the Prometheus text, the console, and each export.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{
        InstrumentKind, ManualReader, Pipeline, Temporality, data::ResourceMetrics,
        reader::MetricReader,
    },
};

use super::collection::run_hooks;

/// A reader that the meter provider shares with those who collect. Clones are the same reader.
#[derive(Debug, Clone)]
pub(crate) struct OnDemandReader {
    manual: Arc<ManualReader>,
    runs_hooks: bool,
    is_registered: Arc<AtomicBool>,
}

impl OnDemandReader {
    /// `runs_hooks` is false if the SDK runs the hooks of the collection.
    pub(crate) fn new(temporality: Temporality, runs_hooks: bool) -> Self {
        let manual = ManualReader::builder().with_temporality(temporality);
        Self {
            manual: Arc::new(manual.build()),
            runs_hooks,
            is_registered: Arc::default(),
        }
    }

    /// Returns whether a meter provider has the reader.
    pub(crate) fn is_registered(&self) -> bool {
        self.is_registered.load(Ordering::Relaxed)
    }
}

impl MetricReader for OnDemandReader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.is_registered.store(true, Ordering::Relaxed);
        self.manual.register_pipeline(pipeline);
    }

    /// Collects the metrics of the SDK. What the hooks set before is native, or in the same collection.
    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        if self.runs_hooks {
            run_hooks();
        }
        self.manual.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.manual.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.manual.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        match kind {
            // With delta temporality, the SDK leaves out gauges that have not been set since the last collection.
            InstrumentKind::Gauge => Temporality::Cumulative,
            kind => self.manual.temporality(kind),
        }
    }
}
