//! Sending what was recorded so far, within a bound, while telemetry goes on.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use super::shutdown::{Running, Telemetry, describe};
use crate::delivery::{DELIVERY, QueueStats, SignalStats};

impl Telemetry {
    /// Sends the spans that have ended, the log records and the metrics that were recorded before the call, within
    /// `timeout`, and returns what could not be sent. Telemetry goes on.
    ///
    /// This is for programs that are stopped or frozen between two pieces of work, such as functions as a service, and for
    /// jobs that report their progress. A service that runs on exports by itself.
    ///
    /// Blocks the calling thread, but no runtime: it may be called within tokio, of either flavour. In a runtime with other
    /// tasks call it in `tokio::task::spawn_blocking`. Calls at the same time share the exports. A span that has not ended
    /// is not sent: call this outside of the span of the work.
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
    let traces = Some(flushes.traces.begin(move || {
        flush_queue(&DELIVERY.spans, || provider.force_flush());
    }));
    let logs = running.logger_provider.clone().map(|provider| {
        flushes.logs.begin(move || {
            flush_queue(&DELIVERY.log_records, || provider.force_flush());
        })
    });
    let metrics = running.pushes_metrics.then(|| {
        let provider = running.meter_provider.clone();
        flushes.metrics.begin(move || {
            // DELIVERY has the outcome.
            let _ = provider.force_flush();
        })
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
        elapsed: started.elapsed(),
        timed_out: !(traces_done && logs_done && metrics_done),
        unsent_spans,
        lost_spans,
        unsent_log_records,
        lost_log_records,
        unsent_metrics: !metrics_done,
        traces_error: error(&DELIVERY.traces, unsent_spans + lost_spans > 0),
        logs_error: error(&DELIVERY.logs, unsent_log_records + lost_log_records > 0),
        metrics_error: error(&DELIVERY.metrics, running.pushes_metrics),
    }
}

/// What had entered a queue and what was lost behind it when a flush began.
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

    /// Items that are not finished, and items whose export failed since.
    fn outcome(&self) -> (u64, u64) {
        let unsent = self.entered.saturating_sub(self.queue.finished());
        (unsent, self.queue.failed().saturating_sub(self.failed))
    }
}

/// Flushes until what is in the queue now is finished. The SDK waits for five seconds, whatever an export may take, and
/// misses an item that is just entering.
fn flush_queue(queue: &QueueStats, flush: impl Fn() -> OTelSdkResult) {
    let entered = queue.entered();
    while !queue.has_finished(entered) {
        if let Err(OTelSdkError::AlreadyShutdown) = flush() {
            return;
        }
        if !queue.has_finished(entered) {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Flushes of each signal.
#[derive(Debug, Default)]
pub(crate) struct Flushes {
    traces: Arc<Turns>,
    logs: Arc<Turns>,
    metrics: Arc<Turns>,
}

/// One flush runs at a time; calls during a flush share the next one. So a receiver that does not answer
/// holds one thread of each signal, however often a flush is asked for.
#[derive(Debug, Default)]
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asked: u64,
    done: u64,
    running: bool,
}

impl Turns {
    /// Flushes on a thread; the turn to wait for.
    fn begin(self: &Arc<Self>, flush: impl Fn() + Send + 'static) -> u64 {
        let mut state = self.lock();
        state.asked += 1;
        let turn = state.asked;
        if !state.running {
            let turns = Arc::clone(self);
            let thread = thread::Builder::new()
                .name("telemetry-flush".to_owned())
                .spawn(move || turns.run(flush));
            // Without a thread every caller waits until its time is up.
            state.running = thread.is_ok();
        }
        turn
    }

    fn run(&self, flush: impl Fn()) {
        let mut state = self.lock();
        while state.done < state.asked {
            let turn = state.asked;
            drop(state);
            flush();
            state = self.lock();
            state.done = turn;
            self.changed.notify_all();
        }
        state.running = false;
    }

    /// Waits for a turn; tells whether it was over in time.
    fn wait(&self, turn: u64, limit: Duration) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), limit, |state| state.done < turn);
        waited.unwrap_or_else(PoisonError::into_inner).0.done >= turn
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a flush could not send of what was recorded before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "it says what could not be sent: print it unless it `is_complete`"]
#[non_exhaustive]
pub struct FlushReport {
    /// How long it took.
    pub elapsed: Duration,
    /// Whether the time was up before everything had been tried.
    pub timed_out: bool,
    /// Sampled spans that still waited when the time was up. They may be sent later.
    pub unsent_spans: u64,
    /// Sampled spans whose export failed during the flush.
    pub lost_spans: u64,
    /// Log records that still waited when the time was up. They may be sent later.
    pub unsent_log_records: u64,
    /// Log records whose export failed during the flush.
    pub lost_log_records: u64,
    /// Whether the export of the metrics was not over when the time was up. Their totals are sent again later.
    pub unsent_metrics: bool,
    /// Why spans could not be sent.
    pub traces_error: Option<String>,
    /// Why log records could not be sent.
    pub logs_error: Option<String>,
    /// Why the metrics could not be sent.
    pub metrics_error: Option<String>,
}

impl FlushReport {
    /// Whether everything that had been recorded was sent.
    pub fn is_complete(&self) -> bool {
        !self.timed_out
            && self.unsent_spans == 0
            && self.lost_spans == 0
            && self.unsent_log_records == 0
            && self.lost_log_records == 0
            && !self.unsent_metrics
            && self.traces_error.is_none()
            && self.logs_error.is_none()
            && self.metrics_error.is_none()
    }
}

impl fmt::Display for FlushReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.unsent_spans, "spans were still waiting"),
            (self.lost_spans, "spans were lost"),
            (self.unsent_log_records, "log records were still waiting"),
            (self.lost_log_records, "log records were lost"),
        ];
        let metrics = self
            .unsent_metrics
            .then_some("the metrics were still on their way");
        let errors = [
            ("traces", &self.traces_error),
            ("logs", &self.logs_error),
            ("metrics", &self.metrics_error),
        ];
        let late = self.timed_out.then_some(self.elapsed);
        f.write_str(&describe(late, &counts, metrics, &errors))
    }
}
