//! Sends the requests of one signal, and records the outcome of each export.

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
    ConnectionRuntime,
    error_reporting::OpenConnection,
    grpc, http,
    requests::{Request, Requests, TooLarge},
    retry::{Failed, LONGEST_ASKED, Retry, with_retries},
    target::ExportTarget,
};
use crate::{
    InitError,
    config::{OtlpConfig, Protocol, Signal},
    delivery::{DELIVERY, ExportOutcome, LastFailure, PartialRejection, QueueStats, SignalStats},
};

/// Sends requests by one of the protocols.
#[async_trait]
pub(super) trait Transport: Send + Sync {
    /// Prepares a message, once for all retries, or returns why it cannot.
    fn prepare(&self, message: Bytes) -> Result<Bytes, String>;

    /// Sends a prepared message, on the connection runtime. Returns the items that the receiver rejected.
    async fn send(&self, prepared: Bytes) -> Result<Option<PartialRejection>, Failed>;
}

pub(crate) struct Sender {
    stats: &'static SignalStats,
    /// `None` for metrics.
    queue: Option<&'static QueueStats>,
    /// `None` after shutdown.
    transport: Mutex<Option<Arc<dyn Transport>>>,
    connection: OpenConnection,
    runtime: Handle,
    /// Longest time that a request with its retries may take.
    timeout: Duration,
    endpoint: String,
    failure: LastFailure,
}

/// The outcome of an export.
#[derive(Debug)]
pub(super) struct Exported {
    pub(super) result: OTelSdkResult,
    /// Requests with spans or log records that failed for a reason that passes. Their items are not counted yet.
    pub(super) unsent: Unsent,
}

/// Requests that can be sent again.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    requests: Vec<Request>,
    /// How long the receiver asked to wait.
    pub(super) pause: Duration,
}

impl Unsent {
    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Returns the number of spans or log records.
    pub(super) fn items(&self) -> usize {
        self.requests.iter().map(|request| request.items).sum()
    }

    fn add(&mut self, request: Request, retry: Retry) {
        self.requests.push(request);
        if let Retry::After(asked) = retry {
            self.pause = self.pause.max(asked.min(LONGEST_ASKED));
        }
    }
}

impl Sender {
    /// `limit` bounds a request in addition to the exporter's own timeout.
    pub(super) fn new(
        config: &OtlpConfig,
        limit: Option<Duration>,
        runtime: &mut ConnectionRuntime,
    ) -> Result<Self, InitError> {
        let target = ExportTarget::new(config, limit, runtime)?;
        let transport = match config.protocol.value {
            Protocol::Grpc => grpc::transport(&target)?,
            Protocol::HttpProtobuf => http::transport(&target)?,
        };
        let (stats, queue) = match config.signal {
            Signal::Traces => (&DELIVERY.traces, Some(&DELIVERY.spans)),
            Signal::Logs => (&DELIVERY.logs, Some(&DELIVERY.log_records)),
            Signal::Metrics => (&DELIVERY.metrics, None),
        };
        Ok(Self {
            stats,
            queue,
            transport: Mutex::new(Some(transport)),
            connection: target.connector.open,
            runtime: target.runtime,
            timeout: target.timeout,
            endpoint: config.shown_url(),
            failure: target.failure,
        })
    }

    /// Sends each request, also after one that failed. Those whose failure is temporary can be sent again.
    pub(super) async fn export(&self, requests: Requests) -> Exported {
        let (requests, too_large) = requests.finish();
        self.export_requests(requests, too_large).await
    }

    /// Sends requests that could be sent again.
    pub(super) async fn export_again(&self, unsent: Unsent) -> Exported {
        self.export_requests(unsent.requests, TooLarge::default())
            .await
    }

    /// Counts the items of unsent requests as dropped.
    pub(super) fn give_up(&self, unsent: Unsent) {
        self.fail_items(unsent.items());
    }

    pub(super) async fn export_requests(
        &self,
        requests: Vec<Request>,
        too_large: TooLarge,
    ) -> Exported {
        let mut outcome = ExportOutcome::default();
        let (total, mut failed) = (requests.len(), 0);
        let mut first_failure = None;
        let mut unsent = Unsent::default();
        for request in requests {
            match self.send(request.message.clone()).await {
                Ok(rejection) => {
                    if let Some(queue) = self.queue {
                        let rejected = rejection.as_ref().map_or(0, |rejection| rejection.items);
                        queue.finish_accepted(request.items, rejected);
                    }
                    outcome.rejection = rejection.or(outcome.rejection.take());
                }
                Err(Failed { reason, retry }) => {
                    failed += 1;
                    first_failure.get_or_insert(reason);
                    match retry {
                        Retry::Later | Retry::After(_) if self.queue.is_some() => {
                            unsent.add(request, retry);
                        }
                        _ => self.fail_items(request.items),
                    }
                }
            }
        }
        outcome.failure = first_failure.map(|error| match total {
            1 => error,
            _ => format!("{failed} of {total} requests: {error}"),
        });
        self.fail_items(too_large.items);
        outcome.too_large = described(too_large);
        let result = match outcome.error() {
            Some(error) => Err(OTelSdkError::InternalFailure(error)),
            None => Ok(()),
        };
        self.stats.finish(&self.endpoint, outcome);
        Exported { result, unsent }
    }

    /// Later exports fail.
    pub(super) fn shut_down(&self) {
        self.transport().take();
    }

    /// Sends one request, with retries.
    async fn send(&self, message: Bytes) -> Result<Option<PartialRejection>, Failed> {
        let for_good = |reason| Failed {
            reason,
            retry: Retry::Never,
        };
        let transport = self.transport().clone();
        let transport =
            transport.ok_or_else(|| for_good(OTelSdkError::AlreadyShutdown.to_string()))?;
        let prepared = transport.prepare(message).map_err(for_good)?;
        self.failure.take();
        let (timeout, connection) = (self.timeout, self.connection.clone());
        let sending = self.runtime.spawn(async move {
            with_retries(timeout, || {
                send_in_time(&*transport, prepared.clone(), timeout, &connection)
            })
            .await
        });
        let sent = sending.await;
        let sent = sent.map_err(|stopped| for_good(stopped.to_string()))?;
        let rejection = sent.map_err(|failed| Failed {
            reason: self.failure.take().unwrap_or(failed.reason),
            ..failed
        })?;
        if let Some(rejection) = &rejection {
            tracing::warn!(
                name: "Exporter.PartialSuccess",
                // The target of OpenTelemetry's own exporters, so that the same filters apply.
                target: "opentelemetry-otlp",
                signal = self.stats.name,
                rejected_items = rejection.items,
                error_message = rejection.reason,
            );
        }
        Ok(rejection)
    }

    fn fail_items(&self, items: usize) {
        if let Some(queue) = self.queue {
            queue.finish_failed(items);
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

/// Sends a request once. After the timeout the connection is closed, because it may be dead. (HTTP/1 clients do this by
/// themselves.)
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
