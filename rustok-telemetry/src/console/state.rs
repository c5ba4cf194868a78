//! What the console keeps, and the thread that keeps it up to date.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use opentelemetry_sdk::{
    Resource,
    logs::{LoggerProviderBuilder, SdkLogRecord},
    metrics::data::ResourceMetrics,
    trace::{ShouldSample, SpanData, TracerProviderBuilder},
};

use super::{
    Console,
    capture::CaptureSampler,
    follow::Peer,
    history::History,
    inbox::Inbox,
    json,
    log_lines::{ConsoleLogProcessor, Lines},
    metric_values,
    spans::{ConsoleSpanProcessor, Traces},
};
use crate::{config::Report, prometheus::reader::TextReader, trace::SpanLimits};

/// Time between two samples of the metrics.
pub(super) const TICK: Duration = Duration::from_secs(2);

static CURRENT: OnceLock<Arc<State>> = OnceLock::new();

/// Returns the console of this process, if it is on.
pub(super) fn current() -> Option<&'static Arc<State>> {
    CURRENT.get()
}

/// The console of a process.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) settings: Console,
    pub(super) resource: Resource,
    pub(super) report: Report,
    pub(super) started_at: SystemTime,
    history: Mutex<History>,
    pub(super) ended_spans: Inbox<Box<SpanData>>,
    traces: Mutex<Traces>,
    pub(super) emitted_records: Inbox<Box<SdkLogRecord>>,
    lines: Mutex<Lines>,
    /// Milliseconds since 1970; 0 while spans are recorded as configured.
    pub(super) all_spans_until: AtomicU64,
    pub(super) peers: Mutex<Vec<Peer>>,
    /// Time of the last sample, in milliseconds since 1970; 0 before the first.
    last_tick: AtomicU64,
    pub(super) open_events: Arc<AtomicU64>,
    stopped: AtomicBool,
    /// Guards nothing but the wait.
    sleeping: Mutex<()>,
    wake: Condvar,
}

impl State {
    pub(crate) fn new(
        settings: Console,
        peers: Vec<Peer>,
        resource: Resource,
        report: Report,
    ) -> Self {
        let (half, quarter) = (settings.memory_limit / 2, settings.memory_limit / 4);
        Self {
            resource,
            report,
            started_at: SystemTime::now(),
            history: Mutex::new(History::new(quarter)),
            ended_spans: Inbox::new(half / 8),
            traces: Mutex::new(Traces::new(half - half / 8)),
            emitted_records: Inbox::new(quarter / 8),
            lines: Mutex::new(Lines::new(quarter - quarter / 8)),
            all_spans_until: AtomicU64::new(0),
            peers: Mutex::new(peers),
            last_tick: AtomicU64::new(0),
            open_events: Arc::default(),
            stopped: AtomicBool::new(false),
            sleeping: Mutex::default(),
            wake: Condvar::new(),
            settings,
        }
    }

    /// Makes this the console of the process.
    pub(crate) fn install(self: &Arc<Self>) {
        // `init` succeeds once in a process.
        let _ = CURRENT.set(Arc::clone(self));
    }

    /// Adds the span processor, and the sampler around the configured one.
    pub(crate) fn add_to_tracers(
        self: &Arc<Self>,
        builder: TracerProviderBuilder,
        limits: SpanLimits,
        configured: Box<dyn ShouldSample>,
    ) -> TracerProviderBuilder {
        let state = Arc::clone(self);
        let processor = ConsoleSpanProcessor { state, limits };
        let state = Arc::clone(self);
        builder
            .with_sampler(CaptureSampler { state, configured })
            .with_span_processor(processor)
    }

    /// Adds the log processor.
    pub(crate) fn add_to_loggers(
        self: &Arc<Self>,
        builder: LoggerProviderBuilder,
    ) -> LoggerProviderBuilder {
        let state = Arc::clone(self);
        builder.with_log_processor(ConsoleLogProcessor { state })
    }

    /// Starts the thread. Without one, the page has no history of metrics.
    pub(crate) fn start(self: &Arc<Self>, reader: TextReader) {
        let state = Arc::clone(self);
        let thread = thread::Builder::new().name("telemetry-console".to_owned());
        if let Err(error) = thread.spawn(move || state.run(&reader)) {
            tracing::warn!(
                "the console has no history of metrics: no thread can be started: {error}"
            );
        }
    }

    /// Ends the thread and the streams of events.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.wake.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn run(&self, reader: &TextReader) {
        let mut collected = ResourceMetrics::default();
        let mut next = Instant::now();
        while !self.is_stopped() {
            self.sort_in();
            let now = Instant::now();
            if now >= next {
                metric_values::collect(reader, &mut collected);
                let at = json::now();
                let visit =
                    |visit: metric_values::Visit<'_>| metric_values::visit(&collected, visit);
                self.history().sample(at, visit);
                self.last_tick.store(at, Ordering::Relaxed);
                // Samples that a suspended process has missed are not made up for.
                next = now + TICK;
            }
            let sleeping = self.sleeping.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.is_stopped() {
                drop(
                    self.wake
                        .wait_timeout(sleeping, next.saturating_duration_since(Instant::now())),
                );
            }
        }
    }

    pub(super) fn add_span(&self, span: Box<SpanData>, bytes: usize) {
        if self.ended_spans.push(span, bytes) {
            self.wake.notify_all();
        }
    }

    pub(super) fn add_line(&self, record: Box<SdkLogRecord>, bytes: usize) {
        if self.emitted_records.push(record, bytes) {
            self.wake.notify_all();
        }
    }

    /// Moves what has been handed over to the traces and lines.
    fn sort_in(&self) {
        drop((self.traces(), self.lines()));
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the traces, with every span that has ended.
    pub(super) fn traces(&self) -> MutexGuard<'_, Traces> {
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        for (span, bytes) in self.ended_spans.take() {
            if !traces.add(span, bytes) {
                self.ended_spans.count_not_kept();
            }
        }
        traces
    }

    /// Returns the lines, with every record that has been emitted.
    pub(super) fn lines(&self) -> MutexGuard<'_, Lines> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for (record, bytes) in self.emitted_records.take() {
            lines.add(record, bytes);
        }
        lines
    }

    pub(super) fn last_tick(&self) -> u64 {
        self.last_tick.load(Ordering::Relaxed)
    }

    pub(super) fn peers(&self) -> MutexGuard<'_, Vec<Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an attribute of the resource; empty if there is none.
    pub(super) fn resource_attribute(&self, key: &str) -> String {
        let mut attributes = self.resource.iter();
        let attribute = attributes.find(|(name, _)| name.as_str() == key);
        attribute.map_or_else(String::new, |(_, value)| value.to_string())
    }
}
