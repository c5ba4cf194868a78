//! What became of the telemetry on its way out: exported, failed, or dropped because a queue was full.
//!
//! The exporters are wrapped ([`Reporting`]) and report every attempt here; the [self metrics](crate::self_metrics)
//! and the [shutdown report](crate::ShutdownReport) read it.

use std::{
    io,
    net::TcpStream,
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    metrics::{Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter},
};

/// How long to look whether anything listens, once, after a first failure.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The account of this process.
pub(crate) static DELIVERY: Delivery = Delivery {
    traces: SignalAccount::new("traces"),
    metrics: SignalAccount::new("metrics"),
    spans: SpanAccount {
        capacity: AtomicUsize::new(0),
        open: AtomicUsize::new(0),
        queued: AtomicUsize::new(0),
        exporting: AtomicUsize::new(0),
        exported: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        queue_full: AtomicU64::new(0),
    },
    metrics_closed: Event::new(),
};

/// Accounts of all signals.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) traces: SignalAccount,
    pub(crate) metrics: SignalAccount,
    pub(crate) spans: SpanAccount,
    /// The last export of metrics has been tried.
    pub(crate) metrics_closed: Event,
}

/// Something that happens once, and can be waited for.
#[derive(Debug)]
pub(crate) struct Event {
    happened: Mutex<bool>,
    changed: Condvar,
}

impl Event {
    const fn new() -> Self {
        Self {
            happened: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    fn set(&self) {
        *self.happened.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits for it; tells whether it happened in time.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(happened, limit, |happened| !*happened);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Exports of one signal.
#[derive(Debug)]
pub(crate) struct SignalAccount {
    pub(crate) name: &'static str,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Whether the last export failed.
    failing: AtomicBool,
    last_error: Mutex<Option<String>>,
}

impl SignalAccount {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            last_error: Mutex::new(None),
        }
    }

    /// Why the last export failed, if it did.
    pub(crate) fn error(&self) -> Option<String> {
        let error = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.failing
            .load(Ordering::Relaxed)
            .then(|| error.clone())
            .flatten()
    }

    fn settle(&self, endpoint: &str, result: &OTelSdkResult) {
        match result {
            Ok(()) => {
                self.succeeded.fetch_add(1, Ordering::Relaxed);
                if self.failing.swap(false, Ordering::Relaxed) && !DELIVERY.is_failing() {
                    announce_recovery(endpoint);
                }
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let error = reason(&error.to_string());
                let first = !DELIVERY.is_failing();
                *self
                    .last_error
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                self.failing.store(true, Ordering::Relaxed);
                if first {
                    announce_failure(self.name, endpoint, &error);
                }
            }
        }
    }
}

impl Delivery {
    fn is_failing(&self) -> bool {
        [&self.traces, &self.metrics]
            .iter()
            .any(|signal| signal.failing.load(Ordering::Relaxed))
    }
}

/// Sampled spans, from their start to their export.
#[derive(Debug)]
pub(crate) struct SpanAccount {
    capacity: AtomicUsize,
    open: AtomicUsize,
    queued: AtomicUsize,
    exporting: AtomicUsize,
    exported: AtomicU64,
    failed: AtomicU64,
    queue_full: AtomicU64,
}

/// Whether a span may enter the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpanVerdict {
    Queued,
    Dropped,
}

impl SpanAccount {
    pub(crate) fn set_capacity(&self, spans: usize) {
        self.capacity.store(spans, Ordering::Relaxed);
    }

    /// Most spans that the queue holds.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Spans that have not ended yet.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Spans that wait for export.
    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Spans that are being exported.
    pub(crate) fn exporting(&self) -> usize {
        self.exporting.load(Ordering::Relaxed)
    }

    pub(crate) fn exported(&self) -> u64 {
        self.exported.load(Ordering::Relaxed)
    }

    /// Spans that were lost, by reason.
    pub(crate) fn lost(&self) -> [(&'static str, u64); 2] {
        [
            ("export_failed", self.failed.load(Ordering::Relaxed)),
            ("queue_full", self.queue_full.load(Ordering::Relaxed)),
        ]
    }

    pub(crate) fn start(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// A span has ended: takes a place in the queue for it, if there is one.
    pub(crate) fn enter_queue(&self) -> SpanVerdict {
        self.open.fetch_sub(1, Ordering::Relaxed);
        if self.queued.fetch_add(1, Ordering::Relaxed) < self.capacity() {
            return SpanVerdict::Queued;
        }
        self.queued.fetch_sub(1, Ordering::Relaxed);
        self.queue_full.fetch_add(1, Ordering::Relaxed);
        SpanVerdict::Dropped
    }

    /// The SDK has taken spans out of the queue, so there is room for others.
    fn leave_queue(&self, spans: usize) {
        self.exporting.fetch_add(spans, Ordering::Relaxed);
        self.queued.fetch_sub(spans, Ordering::Relaxed);
    }

    fn settle(&self, spans: usize, exported: bool) {
        let total = if exported {
            &self.exported
        } else {
            &self.failed
        };
        total.fetch_add(spans as u64, Ordering::Relaxed);
        self.exporting.fetch_sub(spans, Ordering::Relaxed);
    }
}

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

/// Said once, until the backend has answered again.
fn announce_failure(signal: &str, endpoint: &str, error: &str) {
    // The HTTP exporter says no more than "network error": see for ourselves whether anything listens.
    let error = match connect(endpoint) {
        Err(refused) => refused.to_string(),
        Ok(()) => error.to_owned(),
    };
    tracing::warn!(
        "no OpenTelemetry Collector takes the {signal} at {endpoint}: {error}. The service goes on without; what is \
         lost is counted in rustok_telemetry_* at the text endpoint. This is said once, until one answers."
    );
}

fn connect(endpoint: &str) -> io::Result<()> {
    let Ok(url) = url::Url::parse(endpoint) else {
        return Ok(());
    };
    let mut last = Ok(());
    for address in url.socket_addrs(|| None)? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(_) => return Ok(()),
            Err(error) => last = Err(error),
        }
    }
    last
}

/// The error without what the SDK puts before every one.
fn reason(error: &str) -> String {
    error
        .strip_prefix("Operation failed: ")
        .unwrap_or(error)
        .to_owned()
}

fn announce_recovery(endpoint: &str) {
    tracing::info!("the OpenTelemetry Collector at {endpoint} answers again");
}
