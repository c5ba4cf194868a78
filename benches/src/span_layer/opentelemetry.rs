//! The SDK's tracer itself, with its batch processor and its exporter.

use opentelemetry::{
    Context, KeyValue,
    trace::{TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};

use super::{customer, sender::Sender};
use crate::{
    collector::{self, Collector},
    isolated::{FLUSH, Work, burst},
};

pub(crate) fn spans(sampled: bool) -> Work {
    let provider = Provider::new(sampled);
    let tracer = provider.provider.tracer("benchmark");
    provider.work(move |count| {
        for number in 0..count {
            let attributes = [KeyValue::new("customer", customer(number).to_owned())];
            let builder = tracer.span_builder("order.place");
            let span = tracer.build(builder.with_attributes(attributes));
            let _entered = Context::current_with_span(span).attach();
        }
    })
}

/// A provider in front of a Collector, which counts spans.
pub(crate) struct Provider {
    pub(crate) provider: SdkTracerProvider,
    exported: collector::Spans,
    sampled: bool,
}

impl Provider {
    pub(crate) fn new(sampled: bool) -> Self {
        let collector = Collector::start();
        let endpoint = collector.endpoint();
        let address = endpoint.trim_start_matches("http://");
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::connect(address))
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .build()
            .expect("an exporter");
        let batch = BatchConfigBuilder::default()
            .with_max_queue_size(2 * burst())
            .with_max_export_batch_size(burst())
            .with_scheduled_delay(FLUSH)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batch)
            .build();
        let sampler = if sampled {
            Sampler::ParentBased(Box::new(Sampler::AlwaysOn))
        } else {
            Sampler::AlwaysOff
        };
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_span_processor(processor)
            .build();
        Self {
            provider,
            exported: collector.spans(),
            sampled,
        }
    }

    pub(crate) fn work(self, act: impl Fn(usize) + 'static) -> Work {
        self.work_of(Box::new(act))
    }

    pub(crate) fn work_of(self, act: Box<dyn Fn(usize)>) -> Work {
        let sampled = self.sampled;
        let exported = self.exported.clone();
        Work {
            act,
            arrived: sampled.then(|| Box::new(move || exported.count()) as Box<dyn Fn() -> u64>),
            check: Box::new(move |spans| {
                self.provider.shutdown().expect("it shuts down");
                let expected = if sampled { spans } else { 0 };
                assert_eq!(self.exported.count(), expected, "exported");
            }),
        }
    }
}
