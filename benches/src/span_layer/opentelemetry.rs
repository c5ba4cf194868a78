//! The SDK's tracer itself, with its batch processor and its exporter.

use std::sync::OnceLock;

use opentelemetry::{
    Context, KeyValue,
    trace::{TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};

use super::{
    BURST, FLUSH,
    contestant::{Spans, customer},
    sender::Sender,
};
use crate::collector::{self, Collector};

pub(super) fn spans(sampled: bool) -> Spans {
    static TRACER: OnceLock<SdkTracer> = OnceLock::new();
    let provider = Provider::new(sampled);
    let tracer = provider.provider.tracer("benchmark");
    TRACER.set(tracer).expect("set up once");
    provider.spans(|count| {
        let tracer = TRACER.get().expect("set up");
        for number in 0..count {
            let attributes = [KeyValue::new("customer", customer(number).to_owned())];
            let builder = tracer.span_builder("order.place");
            let span = tracer.build(builder.with_attributes(attributes));
            let _entered = Context::current_with_span(span).attach();
        }
    })
}

/// A provider in front of a Collector, which counts spans.
pub(super) struct Provider {
    pub(super) provider: SdkTracerProvider,
    exported: collector::Spans,
    sampled: bool,
}

impl Provider {
    pub(super) fn new(sampled: bool) -> Self {
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
            .with_max_queue_size(2 * BURST)
            .with_max_export_batch_size(BURST)
            .with_scheduled_delay(FLUSH)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batch)
            .build();
        let sampler = if sampled {
            Sampler::AlwaysOn
        } else {
            Sampler::AlwaysOff
        };
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_span_processor(processor)
            .build();
        Self {
            provider,
            exported: collector.spans(),
            sampled,
        }
    }

    pub(super) fn spans(self, make: fn(usize)) -> Spans {
        let sampled = self.sampled;
        let exported = self.exported.clone();
        Spans {
            make,
            arrived: sampled.then(|| Box::new(move || exported.count()) as Box<dyn Fn() -> u64>),
            check: Box::new(move |spans| {
                self.provider.shutdown().expect("it shuts down");
                let expected = if sampled { spans } else { 0 };
                assert_eq!(self.exported.count(), expected, "exported");
            }),
        }
    }
}
