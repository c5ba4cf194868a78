//! Where the records of one capture go: instruments of its own, made when they are first needed.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use opentelemetry::metrics::Meter;
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    trace::{InMemorySpanExporter, SdkTracerProvider},
};
use prometheus::{Registry, TextEncoder, proto::MetricFamily};

use super::{CapturedSpan, LogLine, current};
use crate::metrics::{
    Declaration,
    collection::Hooks,
    instrument::{Instrument, Keeper},
    meter_provider,
    series::Series,
};

/// What one capture has seen.
pub(crate) struct Sink {
    registry: Registry,
    meter: Meter,
    /// The meter is of this provider, which must not be dropped before it.
    _meter_provider: SdkMeterProvider,
    /// [`Series`] of each metric, by its declaration's address.
    series: Mutex<HashMap<usize, Arc<dyn Any + Send + Sync>>>,
    pub(super) spans: InMemorySpanExporter,
    pub(super) tracer_provider: SdkTracerProvider,
    pub(super) logs: Mutex<Vec<LogLine>>,
    pub(crate) hooks: Arc<Hooks>,
}

/// Records in the capture that this thread takes part in, if it does; tells whether the value was recorded.
pub(crate) fn record<I: Instrument, const N: usize>(
    declaration: &'static Declaration,
    labels: [&str; N],
    value: I::Value,
) -> Option<bool> {
    let sink = current()?;
    let accepted = I::reject(value).is_none();
    if accepted {
        sink.series::<I, N>(declaration).record(labels, value);
    }
    Some(accepted)
}

impl Sink {
    pub(super) fn new() -> Self {
        let (meter_provider, registry) =
            meter_provider::build(Resource::builder_empty().build(), &[], |builder| builder)
                .unwrap_or_else(|error| panic!("the meter provider for the test: {error}"));
        let spans = InMemorySpanExporter::default();
        Self {
            registry,
            meter: meter_provider::meter(&meter_provider),
            _meter_provider: meter_provider,
            series: Mutex::default(),
            tracer_provider: SdkTracerProvider::builder()
                .with_simple_exporter(spans.clone())
                .build(),
            spans,
            logs: Mutex::default(),
            hooks: Arc::default(),
        }
    }

    /// Everything that was recorded; first what is read at collection.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.hooks.run();
        self.registry.gather()
    }

    pub(super) fn text(&self, families: &[MetricFamily]) -> String {
        TextEncoder::new()
            .encode_to_string(families)
            .unwrap_or_else(|error| panic!("the metrics cannot be written as text: {error}"))
    }

    pub(super) fn spans(&self) -> Vec<CapturedSpan> {
        let spans = self.spans.get_finished_spans().unwrap_or_default();
        spans.into_iter().map(CapturedSpan::new).collect()
    }

    pub(super) fn logs(&self) -> Vec<LogLine> {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.clone()
    }

    fn series<I: Instrument, const N: usize>(
        &self,
        declaration: &'static Declaration,
    ) -> Arc<Series<I, N>> {
        let address = std::ptr::from_ref(declaration).addr();
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all.entry(address).or_insert_with(|| {
            let made: Arc<OnceLock<Weak<Series<I, N>>>> = Arc::default();
            let visited = Arc::clone(&made);
            let handle = I::create(
                &self.meter,
                declaration,
                Keeper::Ours,
                Box::new(move |visit| {
                    if let Some(series) = visited.get().and_then(Weak::upgrade) {
                        series.visit(visit);
                    }
                }),
            );
            let series = Arc::new(Series::<I, N>::new(declaration, handle));
            // Nobody else has it yet.
            let _ = made.set(Arc::downgrade(&series));
            series
        });
        let series = Arc::clone(series);
        drop(all);
        series
            .downcast()
            .unwrap_or_else(|_| panic!("{} is declared once", declaration.name))
    }
}
