//! The way of an ended span: completed, encoded once, and handed to the export queue and to an observer.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use opentelemetry::{
    Context,
    trace::{Span as _, Status},
};
use opentelemetry_proto::tonic::trace::v1;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use prost::Message;

use super::{
    ConnectionRuntime,
    batches::{Batches, Items},
    encode::{self, Encoded},
};
use crate::{
    InitError,
    config::{SpoolConfig, TracesConfig},
    delivery::{DELIVERY, Importance, threads},
    trace::SpanLimits,
};

const SPANS: Items = Items {
    queue: &DELIVERY.spans,
    thread: &threads::TRACES,
    describe: |span| {
        let span = v1::Span::decode(&*span.message).unwrap_or_default();
        format!("span {:?}", span.name)
    },
};

/// From here on a span is slow, and dropped after the others if the queue is full.
const SLOW: Duration = Duration::from_secs(1);

/// Gets every recorded span when it ends, on the thread that ends it.
pub(crate) trait SpanObserver: fmt::Debug + Send + Sync {
    fn ended(&self, span: &SpanData, encoded: &Arc<[u8]>);
}

/// Encodes every span that is exported or observed. A sampled span that finds the queue full is counted and dropped.
#[derive(Debug)]
pub(crate) struct EncodingSpanProcessor {
    pub(crate) limits: SpanLimits,
    /// `None` without the exporter.
    pub(crate) export: Option<SpanExport>,
    pub(crate) observer: Option<Arc<dyn SpanObserver>>,
}

/// The exporter of spans.
#[derive(Debug)]
pub(crate) struct SpanExport(Batches);

impl SpanExport {
    pub(crate) fn start(
        config: &TracesConfig,
        spool: &SpoolConfig,
        resource: &Resource,
        runtime: &mut ConnectionRuntime,
    ) -> Result<Self, InitError> {
        Batches::start(SPANS, &config.otlp, &config.batch, spool, resource, runtime).map(Self)
    }
}

impl SpanProcessor for EncodingSpanProcessor {
    fn on_start(&self, span: &mut Span, _: &Context) {
        if self.export.is_some() && span.span_context().is_sampled() {
            DELIVERY.open_spans.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn on_end(&self, mut span: SpanData) {
        let export = self.export.as_ref();
        let export = export.filter(|_| span.span_context.is_sampled());
        if export.is_some() {
            DELIVERY.open_spans.fetch_sub(1, Ordering::Relaxed);
        }
        let importance = importance(&span);
        let admitted = export.filter(|export| export.0.admit(importance));
        if admitted.is_none() && self.observer.is_none() {
            return;
        }
        // Here, because a part of a span is known to its thread alone.
        self.limits.complete(&mut span);
        let message = encode::span(&span);
        if let Some(observer) = &self.observer {
            observer.ended(&span, &message);
        }
        if let Some(export) = admitted {
            let scope = span.instrumentation_scope;
            export.0.send(Encoded {
                scope,
                message,
                importance,
            });
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.export
            .as_ref()
            .map_or(Ok(()), |export| export.0.flush())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let export = self.export.as_ref();
        export.map_or(Ok(()), |export| export.0.shut_down(timeout))
    }
}

fn importance(span: &SpanData) -> Importance {
    let took = span.end_time.duration_since(span.start_time);
    match &span.status {
        Status::Error { .. } => Importance::High,
        _ if took.unwrap_or_default() >= SLOW => Importance::High,
        _ => Importance::Ordinary,
    }
}
