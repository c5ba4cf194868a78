//! Span processors of the service, which get spans as the exporter does.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

use super::SpanLimits;

/// [Completes](SpanLimits::complete) each ended span for a processor.
#[derive(Debug)]
pub(crate) struct CompletingProcessor<P> {
    pub(crate) processor: P,
    pub(crate) limits: SpanLimits,
}

impl<P: SpanProcessor> SpanProcessor for CompletingProcessor<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        self.limits.complete(&mut span);
        self.processor.on_end(span);
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
