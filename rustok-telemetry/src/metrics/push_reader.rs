//! The SDK reader that exports periodically, on a thread of its own.

use std::{
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Weak,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    metrics::{InstrumentKind, Pipeline, Temporality, data::ResourceMetrics, reader::MetricReader},
};

use super::on_demand_reader::OnDemandReader;
use crate::{InitError, delivery::threads};

/// Time between a failed export and the next one, unless the interval is shorter.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Exports collections. Called on the thread of its [`PushReader`].
pub(crate) trait PushExporter: Send + 'static {
    /// Exports what the SDK collected, and the native metrics.
    fn export(&mut self, collected: &ResourceMetrics) -> OTelSdkResult;
}

/// Collects and exports at each interval, soon after a failure, at a flush, and once more at the shutdown.
///
/// A flush and the shutdown wait for the export, whatever time it takes: the exporter limits each request, and
/// [`Telemetry`](crate::Telemetry) limits the whole.
pub(crate) struct PushReader {
    reader: OnDemandReader,
    orders: Sender<Order>,
}

/// An export out of turn, whose result is sent back.
enum Order {
    Flush(Sender<OTelSdkResult>),
    ShutDown(Sender<OTelSdkResult>),
}

impl PushReader {
    /// Starts the thread. It ends at the shutdown, or when the reader is dropped.
    pub(crate) fn start(
        reader: OnDemandReader,
        interval: Duration,
        exporter: impl PushExporter,
    ) -> Result<Self, InitError> {
        let (orders, received) = mpsc::channel();
        let worker = Worker {
            reader: reader.clone(),
            exporter,
            interval,
            orders: received,
            collected: ResourceMetrics::default(),
            fails: false,
        };
        let thread = thread::Builder::new().name(threads::METRICS.name.to_owned());
        let started = thread.spawn(move || worker.run());
        started.map_err(|error| InitError::pipeline("the thread that exports metrics", error))?;
        Ok(Self { reader, orders })
    }

    fn order(&self, order: impl FnOnce(Sender<OTelSdkResult>) -> Order) -> OTelSdkResult {
        let (result, exported) = mpsc::channel();
        // After a shutdown the thread is gone, and the order with its sender is dropped.
        let _ = self.orders.send(order(result));
        exported
            .recv()
            .unwrap_or(Err(OTelSdkError::AlreadyShutdown))
    }
}

impl MetricReader for PushReader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.reader.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.reader.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.order(Order::Flush)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let exported = self.order(Order::ShutDown);
        exported.and(self.reader.shutdown_with_timeout(timeout))
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.reader.temporality(kind)
    }
}

impl fmt::Debug for PushReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushReader").finish_non_exhaustive()
    }
}

/// The thread.
struct Worker<E> {
    reader: OnDemandReader,
    exporter: E,
    interval: Duration,
    orders: Receiver<Order>,
    /// A reused buffer.
    collected: ResourceMetrics,
    /// Whether the last collection failed, which is logged once.
    fails: bool,
}

impl<E: PushExporter> Worker<E> {
    fn run(mut self) {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        let mut began = Instant::now();
        let mut pause = self.interval;
        loop {
            let left = pause.saturating_sub(began.elapsed());
            // The exporter reports failures.
            let failed = match self.orders.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout) => {
                    // An export that takes longer than the interval is followed by the next one at once.
                    (began, pause) = (Instant::now(), self.interval);
                    self.export().is_err()
                }
                Ok(Order::Flush(result)) => {
                    let exported = self.export();
                    let failed = exported.is_err();
                    // The send fails if the caller has stopped waiting.
                    let _ = result.send(exported);
                    failed
                }
                Ok(Order::ShutDown(result)) => return drop(result.send(self.export())),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if failed {
                pause = pause.min(began.elapsed() + AFTER_FAILURE);
            }
        }
    }

    fn export(&mut self) -> OTelSdkResult {
        let exported = threads::METRICS.guard(|| self.collect_and_export());
        exported.unwrap_or_else(|panic| {
            thread::sleep(threads::PAUSE);
            Err(OTelSdkError::InternalFailure(panic))
        })
    }

    fn collect_and_export(&mut self) -> OTelSdkResult {
        let collected = &mut self.collected;
        let collection = catch_unwind(AssertUnwindSafe(|| self.reader.collect(collected)));
        let collection = collection.unwrap_or_else(|_| {
            let panicked = "the callback of an observable instrument panicked";
            Err(OTelSdkError::InternalFailure(panicked.to_owned()))
        });
        let failed_before = mem::replace(&mut self.fails, collection.is_err());
        if let Err(error) = &collection
            && !failed_before
        {
            tracing::warn!(
                "the metrics are not exported, because their collection failed: {error}. Further failures are not \
                 logged until a collection succeeds."
            );
        }
        collection.and_then(|()| self.exporter.export(collected))
    }
}
