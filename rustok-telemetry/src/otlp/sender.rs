//! Sends the requests of one signal, and records the outcome of each export.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use tokio::runtime::Handle;

use super::{
    ConnectionRuntime,
    error_reporting::OpenConnection,
    grpc, http,
    request_size::RequestSize,
    requests::{Request, Requests, TooLarge},
    retry::{Backoff, Failed, Retry, RetrySchedule},
    target::ExportTarget,
};
use crate::{
    InitError,
    config::{OtlpConfig, Protocol, Signal},
    delivery::{DELIVERY, ExportOutcome, LastFailure, PartialRejection, QueueStats, SignalStats},
    lock::lock,
};

/// Sends requests by one of the protocols.
#[async_trait]
pub(super) trait Transport: Send + Sync {
    /// Prepares a message, or returns why it cannot.
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
    /// Longest time that a request may take.
    timeout: Duration,
    schedule: Mutex<RetrySchedule>,
    request_size: RequestSize,
    endpoint: String,
    failure: LastFailure,
}

/// The requests of an export, and what became of those that were sent.
#[derive(Debug, Default)]
pub(super) struct Export {
    /// Those that were not sent yet, or failed for a temporary reason. Their items are not counted yet.
    requests: Vec<Request>,
    /// The time after which they are sent again.
    pub(super) pause: Duration,
    total: usize,
    failed: usize,
    first_failure: Option<String>,
    rejection: Option<PartialRejection>,
    too_large: TooLarge,
}

/// What an attempt to export resulted in.
#[derive(Debug)]
pub(super) struct Exported {
    /// The outcome of the export; `None` while its retries go on.
    pub(super) result: Option<OTelSdkResult>,
    /// What failed for a temporary reason.
    pub(super) unsent: Export,
}

impl Export {
    pub(super) fn new(requests: Vec<Request>, too_large: TooLarge) -> Self {
        Self {
            total: requests.len(),
            requests,
            too_large,
            ..Self::default()
        }
    }

    /// Whether nothing is to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Returns the number of spans or log records that are to be sent.
    pub(super) fn items(&self) -> usize {
        self.requests.iter().map(|request| request.items).sum()
    }

    /// Returns the requests that are to be sent.
    #[cfg(feature = "spool")]
    pub(super) fn into_requests(self) -> Vec<Request> {
        self.requests
    }

    fn fail(&mut self, requests: usize, reason: String) {
        self.failed += requests;
        self.first_failure.get_or_insert(reason);
    }

    fn outcome(self) -> ExportOutcome {
        let failure = self.first_failure.map(|error| match self.total {
            1 => error,
            total => format!("{} of {total} requests: {error}", self.failed),
        });
        ExportOutcome {
            failure,
            too_large: described(self.too_large),
            rejection: self.rejection,
        }
    }
}

impl From<Requests> for Export {
    fn from(requests: Requests) -> Self {
        let (requests, too_large) = requests.finish();
        Self::new(requests, too_large)
    }
}

impl Sender {
    /// `limit` bounds a request in addition to the exporter's own timeout, and `delay` is the time between two exports.
    pub(super) fn new(
        config: &OtlpConfig,
        limit: Option<Duration>,
        delay: Duration,
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
            schedule: Mutex::new(RetrySchedule::new(delay, target.timeout)),
            request_size: RequestSize::new(),
            endpoint: config.shown_url(),
            failure: target.failure,
        })
    }

    /// Makes an attempt to send each request.
    pub(super) async fn export(&self, mut export: Export) -> Exported {
        let began = Instant::now();
        let requests = self.split(&mut export);
        let retry = self.send_all(requests, &mut export).await;
        let mut unsent = Export::default();
        if let Some((requests, failed)) = retry {
            let backoff = self.back_off(began, failed.retry);
            if backoff.is_within_export {
                export.requests = requests;
                export.pause = backoff.pause;
                return Exported {
                    result: None,
                    unsent: export,
                };
            }
            export.fail(requests.len(), failed.reason);
            if self.queue.is_some() {
                unsent = Export::new(requests, TooLarge::default());
                unsent.pause = backoff.pause;
            }
        } else if export.total > 0 {
            self.restart_retries();
        }
        self.fail_items(export.too_large.items);
        let outcome = export.outcome();
        let result = match outcome.error() {
            Some(error) => Err(OTelSdkError::InternalFailure(error)),
            None => Ok(()),
        };
        self.stats.finish(&self.endpoint, outcome);
        Exported {
            result: Some(result),
            unsent,
        }
    }

    /// Sends requests, also after one that failed, up to one that takes too long. Returns those that are sent again, and
    /// their first failure, with the longest pause that the receiver requested.
    async fn send_all(
        &self,
        requests: Vec<Request>,
        export: &mut Export,
    ) -> Option<(Vec<Request>, Failed)> {
        let mut unsent: Option<(Vec<Request>, Failed)> = None;
        let mut requests = requests.into_iter();
        while let Some(request) = requests.next() {
            let (sent_at, bytes) = (Instant::now(), request.message.len());
            let failed = match self.send(request.message.clone()).await {
                Ok(rejection) => {
                    self.request_size.grow(bytes);
                    if let Some(queue) = self.queue {
                        let rejected = rejection.as_ref().map_or(0, |rejection| rejection.items);
                        queue.finish_accepted(request.items, rejected);
                    }
                    export.rejection = rejection.or(export.rejection.take());
                    continue;
                }
                Err(failed) => failed,
            };
            if failed.retry == Retry::Never {
                self.fail_items(request.items);
                export.fail(1, failed.reason);
                continue;
            }
            let retry = failed.retry;
            let (again, first) = unsent.get_or_insert_with(|| (Vec::new(), failed));
            first.retry = first.retry.max(retry);
            again.push(request);
            if self.queue.is_some() && sent_at.elapsed() >= self.timeout / 2 {
                // It is too large for the link, or nothing arrives: the others wait as well.
                self.request_size.shrink(bytes);
                again.extend(requests.by_ref());
            }
        }
        unsent
    }

    /// Takes the requests that are to be sent, split to the size that the link carries.
    fn split(&self, export: &mut Export) -> Vec<Request> {
        let requests = mem::take(&mut export.requests);
        if self.queue.is_none() {
            return requests;
        }
        export.total -= requests.len();
        let size = self.request_size.get();
        let split = requests.into_iter().flat_map(|request| request.split(size));
        let split: Vec<_> = split.collect();
        export.total += split.len();
        split
    }

    /// Resets the retry schedule, before a flush, a shutdown or an export of metrics.
    pub(super) fn restart_retries(&self) {
        self.schedule().reset();
    }

    /// Returns what follows an attempt that began at `began` and failed.
    pub(super) fn back_off(&self, began: Instant, retry: Retry) -> Backoff {
        self.schedule().back_off(began, retry)
    }

    /// Counts the items of unsent requests as dropped.
    pub(super) fn give_up(&self, unsent: &Export) {
        self.fail_items(unsent.items());
    }

    /// Later exports fail.
    pub(super) fn shut_down(&self) {
        self.transport().take();
    }

    /// Sends one request, once.
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
        let sending = self
            .runtime
            .spawn(async move { send_in_time(&*transport, prepared, timeout, &connection).await });
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

    fn schedule(&self) -> MutexGuard<'_, RetrySchedule> {
        lock(&self.schedule)
    }

    fn transport(&self) -> MutexGuard<'_, Option<Arc<dyn Transport>>> {
        lock(&self.transport)
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
