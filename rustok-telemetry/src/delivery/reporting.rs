//! Exporters that report what they do.

use std::time::Duration;

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter},
    metrics::{Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter},
};

use super::DELIVERY;

/// An exporter that reports every attempt to [`DELIVERY`].
#[derive(Debug)]
pub(crate) struct Reporting<E> {
    exporter: E,
    endpoint: String,
}

impl<E> Reporting<E> {
    pub(crate) fn new(exporter: E, endpoint: String) -> Self {
        Self { exporter, endpoint }
    }
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        DELIVERY.spans.leave_queue(spans);
        let result = self.exporter.export(batch).await;
        DELIVERY.spans.settle(spans, result.is_ok());
        DELIVERY.traces.settle(&self.endpoint, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Reporting<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records = batch.iter().count();
        DELIVERY.log_records.leave_queue(records);
        let result = self.exporter.export(batch).await;
        DELIVERY.log_records.settle(records, result.is_ok());
        DELIVERY.logs.settle(&self.endpoint, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Reporting<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let result = self.exporter.export(metrics).await;
        DELIVERY.metrics.settle(&self.endpoint, &result);
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        // The SDK calls this when the last export has been tried.
        let result = self.exporter.shutdown_with_timeout(timeout);
        DELIVERY.metrics_closed.set();
        result
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
