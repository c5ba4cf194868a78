//! Sends the requests of one signal, and keeps the account of them.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use tokio::runtime::Handle;

use super::{
    error_reporting::OpenConnection,
    requests::{Request, Requests, TooLarge},
    retry::{Failed, Retry, with_retries},
    target::ExportTarget,
};
use crate::{
    config::Signal,
    delivery::{DELIVERY, ExportOutcome, LastFailure, PartialRejection, QueueStats, SignalStats},
};

/// Sends requests by one of the protocols.
#[async_trait]
pub(super) trait Transport: Send + Sync {
    /// The message as it is sent, however often, or why it cannot be.
    fn prepare(&self, message: Bytes) -> Result<Bytes, String>;

    /// Sends it, on the runtime of the connections; what the receiver did not take.
    async fn send(&self, prepared: Bytes) -> Result<Option<PartialRejection>, Failed>;
}

/// Sends the requests of one signal.
pub(crate) struct Sender {
    signal: Signal,
    /// `None` after shutdown.
    transport: Mutex<Option<Arc<dyn Transport>>>,
    connection: OpenConnection,
    runtime: Handle,
    /// Longest time that a request may take.
    timeout: Duration,
    endpoint: String,
    failure: LastFailure,
}

impl Sender {
    pub(super) fn new(target: ExportTarget<'_>, transport: Arc<dyn Transport>) -> Self {
        Self {
            signal: target.config.signal,
            transport: Mutex::new(Some(transport)),
            connection: target.connector.open,
            runtime: target.runtime,
            timeout: target.timeout,
            endpoint: target.config.shown_url(),
            failure: target.failure,
        }
    }

    /// Counts items that have left their queue.
    pub(super) fn begin(&self, items: usize) {
        if let Some(queue) = self.queue() {
            queue.leave_queue(items);
        }
    }

    /// Sends each request; one that fails does not keep the others from being sent.
    pub(super) async fn export(&self, requests: Requests) -> OTelSdkResult {
        let (requests, too_large) = requests.finish();
        let mut outcome = ExportOutcome::default();
        let (total, mut failed) = (requests.len(), 0);
        let mut first_failure = None;
        for Request { message, items } in requests {
            let sent = self.send(message).await;
            self.finish_items(items, sent.is_ok());
            match sent {
                Ok(rejection) => outcome.rejection = rejection.or(outcome.rejection.take()),
                Err(error) => {
                    failed += 1;
                    first_failure.get_or_insert(error);
                }
            }
        }
        outcome.failure = first_failure.map(|error| match total {
            1 => error,
            _ => format!("{failed} of {total} requests: {error}"),
        });
        self.finish_items(too_large.items, false);
        outcome.too_large = described(too_large);
        let result = match outcome.error() {
            Some(error) => Err(OTelSdkError::InternalFailure(error)),
            None => Ok(()),
        };
        self.stats().finish(&self.endpoint, outcome);
        result
    }

    /// Sends nothing more.
    pub(super) fn shut_down(&self) {
        self.transport().take();
    }

    /// Sends one request, with retries.
    async fn send(&self, message: Bytes) -> Result<Option<PartialRejection>, String> {
        let transport = self.transport().clone();
        let transport = transport.ok_or_else(|| OTelSdkError::AlreadyShutdown.to_string())?;
        let prepared = transport.prepare(message)?;
        self.failure.take();
        let (timeout, connection) = (self.timeout, self.connection.clone());
        let sending = self.runtime.spawn(async move {
            with_retries(timeout, || {
                send_in_time(&*transport, prepared.clone(), timeout, &connection)
            })
            .await
        });
        let sent = sending.await.map_err(|stopped| stopped.to_string())?;
        let rejection = sent.map_err(|reason| self.failure.take().unwrap_or(reason))?;
        if let Some(rejection) = &rejection {
            tracing::warn!(
                name: "Exporter.PartialSuccess",
                // The target of the exporters of OpenTelemetry, so that the same filters hold.
                target: "opentelemetry-otlp",
                signal = self.stats().name,
                rejected_items = rejection.items,
                error_message = rejection.reason,
            );
        }
        Ok(rejection)
    }

    fn finish_items(&self, items: usize, exported: bool) {
        if let Some(queue) = self.queue() {
            queue.finish(items, exported);
        }
    }

    fn queue(&self) -> Option<&'static QueueStats> {
        match self.signal {
            Signal::Traces => Some(&DELIVERY.spans),
            Signal::Logs => Some(&DELIVERY.log_records),
            Signal::Metrics => None,
        }
    }

    fn stats(&self) -> &'static SignalStats {
        match self.signal {
            Signal::Traces => &DELIVERY.traces,
            Signal::Logs => &DELIVERY.logs,
            Signal::Metrics => &DELIVERY.metrics,
        }
    }

    fn transport(&self) -> MutexGuard<'_, Option<Arc<dyn Transport>>> {
        let transport = self.transport.lock();
        transport.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// Sends a request once. A connection that does not answer in time is closed, so that the next request takes a new one:
/// it may be dead without anybody knowing. HTTP/1 does so by itself, as nothing else can be sent on such a connection.
async fn send_in_time(
    transport: &dyn Transport,
    prepared: Bytes,
    limit: Duration,
    connection: &OpenConnection,
) -> Result<Option<PartialRejection>, Failed> {
    match tokio::time::timeout(limit, transport.send(prepared)).await {
        Ok(answer) => answer,
        Err(_) => {
            connection.close();
            Err(Failed {
                reason: format!("no answer within {} ms", limit.as_millis()),
                retry: Retry::Later,
            })
        }
    }
}

fn described(too_large: TooLarge) -> Option<String> {
    let first = too_large.first?;
    Some(match too_large.items {
        1 => first,
        items => format!("{first} (and {} more like it)", items - 1),
    })
}
