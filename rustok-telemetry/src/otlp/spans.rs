//! The way of an ended span: completed, encoded once, and handed to the export queue and to an observer.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{
    Context,
    trace::{Span as _, SpanContext},
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
    trace::{
        SpanLimits,
        sink::{EndedSpan, SpanSink},
    },
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
    fn ended(&self, span: &EndedSpan<'_>, encoded: &Arc<[u8]>);
}

/// Encodes every span that is exported or observed. A sampled span that finds the queue full is counted and dropped.
#[derive(Debug)]
pub(crate) struct EncodingSpanProcessor {
    limits: SpanLimits,
    encoding: Arc<SpanEncoding>,
}

/// Counts, encodes and queues spans, for [`EncodingSpanProcessor`] and for the native layer.
#[derive(Debug)]
pub(crate) struct SpanEncoding {
    /// `None` without the exporter.
    export: Option<SpanExport>,
    observer: Option<Arc<dyn SpanObserver>>,
    is_shut_down: AtomicBool,
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

/// A span that is exported, if it has a place in the queue, or observed.
struct Admitted<'a> {
    export: Option<&'a SpanExport>,
    importance: Importance,
}

impl SpanEncoding {
    pub(crate) fn new(export: Option<SpanExport>, observer: Option<Arc<dyn SpanObserver>>) -> Self {
        Self {
            export,
            observer,
            is_shut_down: AtomicBool::new(false),
        }
    }

    /// Returns whether spans are exported or observed.
    pub(crate) fn is_needed(&self) -> bool {
        self.export.is_some() || self.observer.is_some()
    }

    /// Admits a span that was counted; `None` if it is neither exported nor observed.
    fn admit(&self, span: &EndedSpan<'_>) -> Option<Admitted<'_>> {
        let export = self.export_of(span.context);
        if export.is_some() {
            DELIVERY.open_spans.fetch_sub(1, Ordering::Relaxed);
        }
        let importance = importance(span);
        let export = export.filter(|export| export.0.admit(importance));
        let is_needed = export.is_some() || self.observer.is_some();
        is_needed.then_some(Admitted { export, importance })
    }

    fn deliver(&self, span: &EndedSpan<'_>, message: Arc<[u8]>, admitted: Admitted<'_>) {
        if let Some(observer) = &self.observer {
            observer.ended(span, &message);
        }
        if let Some(export) = admitted.export {
            export.0.send(Encoded {
                scope: span.scope.clone(),
                message,
                importance: admitted.importance,
            });
        }
    }

    /// Returns the exporter if it exports the span.
    fn export_of(&self, span: &SpanContext) -> Option<&SpanExport> {
        self.export.as_ref().filter(|_| span.is_sampled())
    }
}

impl SpanSink for SpanEncoding {
    fn started(&self, span: &SpanContext) {
        if self.export_of(span).is_some() {
            DELIVERY.open_spans.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn ended(&self, span: &EndedSpan<'_>, encode: &dyn Fn(&mut Vec<u8>)) {
        // After a shutdown the span counts as open, like one of the SDK.
        if let Some(admitted) = (!self.is_shut_down()).then(|| self.admit(span)).flatten() {
            self.deliver(span, encode::encoded(encode), admitted);
        }
    }

    fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Relaxed)
    }
}

impl EncodingSpanProcessor {
    pub(crate) fn new(limits: SpanLimits, encoding: Arc<SpanEncoding>) -> Self {
        Self { limits, encoding }
    }
}

impl SpanProcessor for EncodingSpanProcessor {
    fn on_start(&self, span: &mut Span, _: &Context) {
        self.encoding.started(span.span_context());
    }

    fn on_end(&self, mut span: SpanData) {
        let Some(admitted) = self.encoding.admit(&EndedSpan::from(&span)) else {
            return;
        };
        // Here, because a part of a span is known to its thread alone.
        self.limits.complete(&mut span);
        let message = encode::span(&span);
        self.encoding
            .deliver(&EndedSpan::from(&span), message, admitted);
    }

    fn force_flush(&self) -> OTelSdkResult {
        let export = self.encoding.export.as_ref();
        export.map_or(Ok(()), |export| export.0.flush())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.encoding.is_shut_down.store(true, Ordering::Relaxed);
        let export = self.encoding.export.as_ref();
        export.map_or(Ok(()), |export| export.0.shut_down(timeout))
    }
}

fn importance(span: &EndedSpan<'_>) -> Importance {
    let took = span.end.duration_since(span.start);
    match took.unwrap_or_default() {
        _ if span.has_error => Importance::High,
        took if took >= SLOW => Importance::High,
        _ => Importance::Ordinary,
    }
}
