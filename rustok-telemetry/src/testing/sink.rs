//! The storage of a capture: metrics, spans and log lines.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, Span, SpanData, SpanProcessor},
};

use super::{CapturedSpan, LogLine, open::OpenSpans};
use crate::{
    metrics::{capture::CapturedMetrics, snapshot::MetricSnapshot},
    prometheus::encoder::{Exposition, Format},
    trace::{SpanLimits, UniqueTracerProvider},
};

pub(crate) struct Sink {
    pub(super) metrics: Arc<CapturedMetrics>,
    ended: EndedSpans,
    pub(super) open: OpenSpans,
    pub(super) tracer_provider: UniqueTracerProvider,
    pub(super) logs: Mutex<Vec<LogLine>>,
}

impl Sink {
    pub(super) fn new() -> Self {
        let ended = EndedSpans::default();
        let builder = SdkTracerProvider::builder().with_span_processor(ended.clone());
        Self {
            metrics: Arc::default(),
            tracer_provider: UniqueTracerProvider::new(builder, SpanLimits::default()),
            ended,
            open: OpenSpans::default(),
            logs: Mutex::default(),
        }
    }

    pub(super) fn text(&self) -> String {
        let metrics = self.metrics.all();
        let metrics = metrics
            .iter()
            .map(|metric| MetricSnapshot::native(&**metric));
        Exposition::default().text(Format::Prometheus, metrics).text
    }

    pub(super) fn labels(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for metric in self.metrics.all() {
            let name = metric.declaration().name;
            metric.read(&mut |labels, _| {
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
}

/// The ended spans, as they would be exported.
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
