//! The tracer provider: sampler, limits, and the bounded batch processor.

use std::{sync::atomic::Ordering, time::Duration};

use opentelemetry::{Context, trace::Span as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, ShouldSample, Span, SpanData,
        SpanExporter, SpanProcessor, TracerProviderBuilder,
    },
};

use super::{SpanLimits, UniqueTracerProvider};
use crate::{
    config::TracesConfig,
    delivery::{Admission, DELIVERY},
};

/// Builds the provider. Without an exporter, spans still get ids, so that propagation and logs work. `add` sets the
/// sampler, given the configured one, and adds processors that come before the exporter.
pub(crate) fn build<E>(
    config: &TracesConfig,
    resource: Resource,
    exporter: Option<E>,
    add: impl FnOnce(TracerProviderBuilder, SpanLimits, Box<dyn ShouldSample>) -> TracerProviderBuilder,
) -> UniqueTracerProvider
where
    E: SpanExporter + 'static,
{
    let limits = SpanLimits::new(&config.limits);
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let mut builder = add(
        builder,
        limits,
        super::sampler::sampler(config.sampler.value),
    );
    if let Some(exporter) = exporter {
        let batch = &config.batch;
        let capacity = batch.max_queue_size.value as usize;
        DELIVERY.spans.set_capacity(capacity);
        let settings = BatchConfigBuilder::default()
            .with_max_queue_size(capacity)
            .with_max_export_batch_size(batch.max_export_batch_size.value as usize)
            .with_scheduled_delay(batch.schedule_delay.value)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(settings)
            .build();
        builder = builder.with_span_processor(BoundedProcessor { processor, limits });
    }
    UniqueTracerProvider::new(builder, limits)
}

/// Counts every sampled span before it enters the queue, and drops it if the queue is full.
///
/// The SDK's processor drops spans silently if its queue is full, and reports success at shutdown. So it never gets
/// more spans than fit.
#[derive(Debug)]
struct BoundedProcessor {
    processor: BatchSpanProcessor,
    limits: SpanLimits,
}

impl SpanProcessor for BoundedProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        if span.span_context().is_sampled() {
            DELIVERY.open_spans.fetch_add(1, Ordering::Relaxed);
        }
        self.processor.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        DELIVERY.open_spans.fetch_sub(1, Ordering::Relaxed);
        if DELIVERY.spans.enter_queue() == Admission::Queued {
            self.limits.complete(&mut span);
            self.processor.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}
