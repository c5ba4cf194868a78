//! Exporters that report what they do.

use std::time::Duration;

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter},
    metrics::{Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter},
};

use super::{DELIVERY, LastFailure, account::SignalAccount};

/// An exporter that reports every attempt to [`DELIVERY`].
#[derive(Debug)]
pub(crate) struct Reporting<E> {
    exporter: E,
    endpoint: String,
    failure: LastFailure,
}

impl<E> Reporting<E> {
    /// `failure` is where what connects for this exporter tells why it could not.
    pub(crate) fn new(exporter: E, endpoint: String, failure: LastFailure) -> Self {
        Self {
            exporter,
            endpoint,
            failure,
        }
    }

    /// The result of an attempt, in the account of its signal.
    fn settle(&self, account: &SignalAccount, result: &OTelSdkResult) {
        let known = self.failure.take();
        let error = match result {
            Ok(()) => Ok(()),
            Err(error) => Err(known.unwrap_or_else(|| error.to_string())),
        };
        account.settle(&self.endpoint, error);
    }
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        DELIVERY.spans.leave_queue(spans);
        self.failure.clear();
        let result = self.exporter.export(batch).await;
        DELIVERY.spans.settle(spans, result.is_ok());
        self.settle(&DELIVERY.traces, &result);
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
        self.failure.clear();
        let result = self.exporter.export(batch).await;
        DELIVERY.log_records.settle(records, result.is_ok());
        self.settle(&DELIVERY.logs, &result);
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
        self.failure.clear();
        let result = self.exporter.export(metrics).await;
        self.settle(&DELIVERY.metrics, &result);
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
