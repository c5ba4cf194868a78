//! Where the records of one capture go: series of its own, made when they are first needed.

use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use super::{CapturedSpan, LogLine, current};
use crate::metrics::{
    Declaration,
    collection::Hooks,
    exposition,
    instrument::{Instrument, Keeper},
    point::VisitSeries,
    series::Series,
};

/// What one capture has seen.
pub(crate) struct Sink {
    /// Of each metric that was recorded, by its name.
    series: Mutex<BTreeMap<&'static str, Captured>>,
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
        let spans = InMemorySpanExporter::default();
        Self {
            series: Mutex::default(),
            tracer_provider: SdkTracerProvider::builder()
                .with_simple_exporter(spans.clone())
                .build(),
            spans,
            logs: Mutex::default(),
            hooks: Arc::default(),
        }
    }

    /// Reads a metric; first what is read at collection.
    pub(super) fn read(&self, declaration: &'static Declaration, visit: VisitSeries<'_>) {
        self.hooks.run();
        let captured = self.captured().get(declaration.name).cloned();
        if let Some(captured) = captured {
            captured.readable.read(visit);
        }
    }

    /// Everything that was recorded, as Prometheus would scrape it.
    pub(super) fn text(&self) -> String {
        self.hooks.run();
        let captured: Vec<_> = self.captured().values().cloned().collect();
        let metrics = captured.iter().map(|metric| {
            let read = |visit: VisitSeries<'_>| metric.readable.read(visit);
            (metric.declaration, read)
        });
        exposition::text_of(metrics)
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
        let captured = {
            let mut all = self.captured();
            let captured = all.entry(declaration.name).or_insert_with(|| {
                let handle = I::create(declaration, Keeper::Ours, declaration.boundaries);
                let series = Arc::new(Series::<I, N>::new(declaration, handle));
                Captured {
                    declaration,
                    readable: series.clone(),
                    series,
                }
            });
            Arc::clone(&captured.series)
        };
        captured
            .downcast()
            .unwrap_or_else(|_| panic!("{} is declared once", declaration.name))
    }

    fn captured(&self) -> MutexGuard<'_, BTreeMap<&'static str, Captured>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The [`Series`] of one metric: as what it is, to record, and as what can be read.
#[derive(Clone)]
struct Captured {
    declaration: &'static Declaration,
    series: Arc<dyn Any + Send + Sync>,
    readable: Arc<dyn Readable>,
}

trait Readable: Send + Sync {
    fn read(&self, visit: VisitSeries<'_>);
}

impl<I: Instrument, const N: usize> Readable for Series<I, N> {
    fn read(&self, visit: VisitSeries<'_>) {
        Self::read(self, visit);
    }
}
