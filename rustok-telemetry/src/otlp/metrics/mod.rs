//! Metrics over OTLP: what the SDK has collected and what we keep ourselves, in one request.
//!
//! The SDK's periodic reader asks for an export, on its thread. The request is put together there (`request.rs`),
//! encoded once, and sent on the runtime of the connections (`grpc.rs`, `http.rs`), again if that helps (`retry.rs`).

#[cfg(feature = "grpc")]
pub(super) mod grpc;
#[cfg(feature = "http")]
pub(super) mod http;
mod own;
mod request;
mod retry;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    metrics::{Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
};
use prost::Message;
use tokio::runtime::Handle;

use self::retry::{Failed, with_retries};
use super::destination::Destination;
use crate::delivery::{Rejection, note_rejection};

/// Exports metrics. Ours count from the moment when it is made.
pub(crate) struct MetricExporter {
    start: SystemTime,
    /// `None` after shutdown.
    transport: Mutex<Option<Arc<dyn Transport>>>,
    runtime: Handle,
    timeout: Duration,
    temporality: Temporality,
}

/// Sends requests by one of the protocols.
#[async_trait]
pub(super) trait Transport: Send + Sync {
    /// The message as it is sent, however often, or why it cannot be.
    fn prepare(&self, message: Bytes) -> Result<Bytes, String>;

    /// Sends it, on the runtime of the connections.
    async fn send(&self, prepared: Bytes) -> Result<ExportMetricsServiceResponse, Failed>;
}

impl MetricExporter {
    pub(super) fn new(
        destination: &Destination<'_>,
        transport: Arc<dyn Transport>,
        temporality: Temporality,
    ) -> Self {
        Self {
            start: SystemTime::now(),
            transport: Mutex::new(Some(transport)),
            runtime: destination.runtime.clone(),
            timeout: destination.timeout,
            temporality,
        }
    }

    async fn send(&self, transport: Arc<dyn Transport>, prepared: Bytes) -> Result<(), String> {
        let timeout = self.timeout;
        let sending = self
            .runtime
            .spawn(async move { with_retries(timeout, || transport.send(prepared.clone())).await });
        let sent = sending.await.map_err(|stopped| stopped.to_string())?;
        note_rejection(rejection(sent?));
        Ok(())
    }

    fn transport(&self) -> MutexGuard<'_, Option<Arc<dyn Transport>>> {
        let transport = self.transport.lock();
        transport.unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the receiver did not take. It is not sent again: the specification says so.
fn rejection(answer: ExportMetricsServiceResponse) -> Option<Rejection> {
    let partial = answer.partial_success?;
    let rejection = Rejection::of(partial.rejected_data_points, partial.error_message)?;
    tracing::warn!(
        name: "MetricExporter.PartialSuccess",
        // As opentelemetry-otlp has it for the other signals; so the same filters hold.
        target: "opentelemetry-otlp",
        rejected_data_points = rejection.items,
        error_message = rejection.reason,
    );
    Some(rejection)
}

impl PushMetricExporter for MetricExporter {
    async fn export(&self, collected: &ResourceMetrics) -> OTelSdkResult {
        let transport = self.transport().clone();
        let transport = transport.ok_or(OTelSdkError::AlreadyShutdown)?;
        let message = request::build(collected, self.start).encode_to_vec();
        let sent = match transport.prepare(message.into()) {
            Ok(prepared) => self.send(transport, prepared).await,
            Err(why) => Err(why),
        };
        sent.map_err(OTelSdkError::InternalFailure)
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.transport().take();
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        self.temporality
    }
}

impl fmt::Debug for MetricExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricExporter").finish_non_exhaustive()
    }
}
