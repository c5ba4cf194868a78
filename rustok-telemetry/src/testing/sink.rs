//! Where the records of one capture go: series of its own, made when they are first needed.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, Span, SpanData, SpanProcessor},
};

use super::{CapturedSpan, LogLine, current, open::OpenSpans};
use crate::{
    metrics::{
        Declaration,
        collection::Hooks,
        exposition,
        instrument::{Instrument, Keeper},
        point::VisitSeries,
        series::Series,
    },
    trace::{SpanLimits, UniqueTracerProvider},
};

/// What one capture has seen.
pub(crate) struct Sink {
    /// Of each metric that was recorded, by its name.
    series: Mutex<BTreeMap<&'static str, Captured>>,
    ended: EndedSpans,
    pub(super) open: OpenSpans,
    pub(super) tracer_provider: UniqueTracerProvider,
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
        let ended = EndedSpans::default();
        let builder = SdkTracerProvider::builder().with_span_processor(ended.clone());
        Self {
            series: Mutex::default(),
            tracer_provider: UniqueTracerProvider::new(builder, SpanLimits::default()),
            ended,
            open: OpenSpans::default(),
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

    /// The labels that were recorded, with the metric of each.
    pub(super) fn labels(&self) -> BTreeSet<String> {
        self.hooks.run();
        let captured: Vec<_> = self.captured().values().cloned().collect();
        let mut all = BTreeSet::new();
        for metric in captured {
            let name = metric.declaration.name;
            metric.readable.read(&mut |labels, _| {
                let labels = labels.iter();
                all.extend(labels.map(|(label, value)| format!("{name}{{{label}={value:?}}}")));
            });
        }
        all
    }

    pub(super) fn spans(&self) -> Vec<CapturedSpan> {
        let spans = self.ended.lock();
        spans.iter().cloned().map(CapturedSpan::new).collect()
    }

    pub(super) fn has_span(&self, name: &str) -> bool {
        self.ended.lock().iter().any(|span| span.name == name)
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

/// The spans that have ended, as they would be exported.
#[derive(Debug, Clone, Default)]
struct EndedSpans(Arc<Mutex<Vec<SpanData>>>);

impl EndedSpans {
    fn lock(&self) -> MutexGuard<'_, Vec<SpanData>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanProcessor for EndedSpans {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if span.span_context.is_sampled() {
            SpanLimits::default().complete(&mut span);
            self.lock().push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
