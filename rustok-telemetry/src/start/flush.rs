//! Flush: exports what has been recorded, within a timeout, while telemetry continues.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use opentelemetry_sdk::error::OTelSdkResult;

use super::{
    report::FlushReport,
    shutdown::{Running, Telemetry},
};
use crate::delivery::{DELIVERY, QueueStats, SignalStats, threads};

impl Telemetry {
    /// Exports the ended spans, log records and metrics that were recorded before the call, within `timeout`, and
    /// returns what was not exported. Telemetry continues.
    ///
    /// Use it in programs that are stopped or frozen between two pieces of work, such as functions as a service, and in
    /// jobs that report their progress. A long-running service does not need it, because exports run periodically.
    ///
    /// Blocks the calling thread. It may be called within a tokio runtime of either flavor; if the runtime has other
    /// tasks, call it in `tokio::task::spawn_blocking`. Concurrent calls share the exports. Open spans are not
    /// exported, so call it outside of the span of the work.
    ///
    /// # In a function as a service
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use rustok_telemetry::{Telemetry, instrument};
    ///
    /// # struct Event;
    /// # async fn next_event() -> Option<Event> { None }
    /// #[instrument]
    /// async fn handle(_event: Event) {
    ///     // … the work …
    /// }
    ///
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() -> Result<(), rustok_telemetry::InitError> {
    ///     let telemetry = rustok_telemetry::init()?;
    ///     while let Some(event) = next_event().await {
    ///         handle(event).await;
    ///         // The process may be frozen from here on, until the next event.
    ///         let report = telemetry.force_flush(Duration::from_secs(2));
    ///         if !report.is_complete() {
    ///             eprintln!("{report}");
    ///         }
    ///     }
    ///     eprintln!("{}", telemetry.shutdown());
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # In a job
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn copy_table(_table: &str) {}
    /// # fn main() -> Result<(), rustok_telemetry::InitError> {
    /// let telemetry = rustok_telemetry::init()?;
    /// for table in ["customers", "orders"] {
    ///     tracing::info_span!("copy", table).in_scope(|| copy_table(table));
    ///     // Seen from outside before the next table begins, which takes an hour.
    ///     eprintln!("{table}: {}", telemetry.force_flush(Duration::from_secs(5)));
    /// }
    /// eprintln!("{}", telemetry.shutdown());
    /// # Ok(())
    /// # }
    /// ```
    pub fn force_flush(&self, timeout: Duration) -> FlushReport {
        match &self.running {
            Some(running) => flush(running, timeout),
            None => FlushReport::default(),
        }
    }
}

fn flush(running: &Running, timeout: Duration) -> FlushReport {
    let started = Instant::now();
    let [spans, log_records] = [&DELIVERY.spans, &DELIVERY.log_records].map(Waiting::now);
    let flushes = &running.flushes;
    let provider = running.tracer_provider.clone();
    let traces = Some(flushes.traces.begin(move || provider.force_flush()));
    let logs = running.logger_provider.clone();
    let logs = logs.map(|provider| flushes.logs.begin(move || provider.force_flush()));
    let metrics = running.pushes_metrics.then(|| {
        let provider = running.meter_provider.clone();
        flushes.metrics.begin(move || provider.force_flush())
    });
    let waiting = [
        (&flushes.traces, traces),
        (&flushes.logs, logs),
        (&flushes.metrics, metrics),
    ];
    let [traces_done, logs_done, metrics_done] = waiting.map(|(flushes, turn)| {
        let left = timeout.saturating_sub(started.elapsed());
        turn.is_none_or(|turn| flushes.wait(turn, left))
    });
    let error = |signal: &SignalStats, concerned: bool| signal.error().filter(|_| concerned);
    let (unsent_spans, lost_spans) = spans.outcome();
    let (unsent_log_records, lost_log_records) = log_records.outcome();
    FlushReport {
        has_exporters: running.has_exporters,
        elapsed: started.elapsed(),
        timed_out: !(traces_done && logs_done && metrics_done),
        unsent_spans,
        lost_spans,
        unsent_log_records,
        lost_log_records,
        unsent_metrics: !metrics_done,
        // The exporters of this crate know more than the SDK, which has the errors of the service's as well.
        traces_error: error(&DELIVERY.traces, unsent_spans + lost_spans > 0)
            .or_else(|| flushes.traces.error()),
        logs_error: error(&DELIVERY.logs, unsent_log_records + lost_log_records > 0)
            .or_else(|| flushes.logs.error()),
        metrics_error: error(&DELIVERY.metrics, running.pushes_metrics)
            .or_else(|| flushes.metrics.error()),
    }
}

/// Counters of a queue when a flush began.
struct Waiting {
    queue: &'static QueueStats,
    entered: u64,
    failed: u64,
}

impl Waiting {
    fn now(queue: &'static QueueStats) -> Self {
        Self {
            queue,
            entered: queue.entered(),
            failed: queue.failed(),
        }
    }

    /// Returns the number of items that are still queued or being exported, and of items whose export has failed since.
    fn outcome(&self) -> (u64, u64) {
        let unsent = self.entered.saturating_sub(self.queue.finished());
        (unsent, self.queue.failed().saturating_sub(self.failed))
    }
}

/// The flushes of each signal.
#[derive(Debug, Default)]
pub(crate) struct Flushes {
    traces: Arc<Turns>,
    logs: Arc<Turns>,
    metrics: Arc<Turns>,
}

/// Runs one flush at a time; calls during a flush share the next one. So a receiver that does not respond blocks one
/// thread per signal, however many flushes are requested.
#[derive(Debug, Default)]
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requested: u64,
    done: u64,
    running: bool,
    /// Error of the last flush.
    error: Option<String>,
}

impl Turns {
    /// Requests a flush on a thread; returns the turn to wait for.
    fn begin(self: &Arc<Self>, flush: impl Fn() -> OTelSdkResult + Send + 'static) -> u64 {
        let mut state = self.lock();
        state.requested += 1;
        let turn = state.requested;
        if !state.running {
            let turns = Arc::clone(self);
            let thread = thread::Builder::new()
                .name(threads::FLUSH.name.to_owned())
                .spawn(move || turns.run(flush));
            // If no thread can be spawned, callers wait until their timeout.
            state.running = thread.is_ok();
        }
        turn
    }

    fn run(&self, flush: impl Fn() -> OTelSdkResult) {
        let mut state = self.lock();
        while state.done < state.requested {
            let turn = state.requested;
            drop(state);
            let result = threads::FLUSH.guard(&flush);
            state = self.lock();
            state.error = match result {
                Ok(flushed) => flushed.err().map(|error| error.to_string()),
                Err(panic) => Some(panic),
            };
            state.done = turn;
            self.changed.notify_all();
        }
        state.running = false;
    }

    /// Waits for a turn; returns whether it ended within `limit`.
    fn wait(&self, turn: u64, limit: Duration) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), limit, |state| state.done < turn);
        waited.unwrap_or_else(PoisonError::into_inner).0.done >= turn
    }

    fn error(&self) -> Option<String> {
        self.lock().error.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
