//! What the console keeps, and the thread that keeps it up to date.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant, SystemTime},
};

use opentelemetry_sdk::{Resource, metrics::data::ResourceMetrics, trace::ShouldSample};

use super::{
    Console,
    answers::Answers,
    capture::CaptureSampler,
    follow::Peer,
    history::History,
    inbox::{Inbox, Store, lock},
    json,
    log_lines::Lines,
    metric_values,
    thinning::Thinning,
    trace_store::Traces,
};
use crate::{config::Report, delivery::threads, metrics::on_demand_reader::OnDemandReader};

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
    pub(super) spans: Inbox<Traces>,
    /// Name of the scope of the first span.
    pub(super) usual_scope: OnceLock<Arc<str>>,
    pub(super) lines: Inbox<Lines>,
    pub(super) thinning: Thinning,
    /// Milliseconds since 1970; 0 while spans are recorded as configured.
    pub(super) all_spans_until: AtomicU64,
    pub(super) peers: Mutex<Vec<Peer>>,
    answers: Mutex<Answers>,
    /// Time of the last sample, in milliseconds since 1970; 0 before the first.
    last_tick: AtomicU64,
    pub(super) open_events: Arc<AtomicU64>,
    stopped: AtomicBool,
    thread: OnceLock<Thread>,
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
            spans: Inbox::new(half / 8, Traces::new(half - half / 4)),
            usual_scope: OnceLock::new(),
            lines: Inbox::new(quarter / 8, Lines::new(quarter - quarter / 8)),
            thinning: Thinning::new(half / 8),
            all_spans_until: AtomicU64::new(0),
            peers: Mutex::new(peers),
            answers: Mutex::default(),
            last_tick: AtomicU64::new(0),
            open_events: Arc::default(),
            stopped: AtomicBool::new(false),
            thread: OnceLock::new(),
            settings,
        }
    }

    /// Makes this the console of the process.
    pub(crate) fn install(self: &Arc<Self>) {
        // `init` succeeds once in a process.
        let _ = CURRENT.set(Arc::clone(self));
    }

    /// Returns the sampler around the configured one.
    pub(crate) fn sampler(
        self: &Arc<Self>,
        configured: Box<dyn ShouldSample>,
    ) -> Box<dyn ShouldSample> {
        let state = Arc::clone(self);
        Box::new(CaptureSampler { state, configured })
    }

    /// Starts the thread. Without one, the page has no history of metrics.
    pub(crate) fn start(self: &Arc<Self>, reader: OnDemandReader) {
        let state = Arc::clone(self);
        let thread = thread::Builder::new().name(threads::CONSOLE.name.to_owned());
        if let Err(error) = thread.spawn(move || state.run(&reader)) {
            tracing::warn!(
                "the console has no history of metrics: no thread can be started: {error}"
            );
        }
    }

    /// Ends the thread and the streams of events.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn run(&self, reader: &OnDemandReader) {
        // `start` calls this once, so the cell is empty.
        let _ = self.thread.set(thread::current());
        let mut collected = ResourceMetrics::default();
        let mut next = Instant::now();
        while !self.is_stopped() {
            let now = Instant::now();
            let is_due = now >= next;
            let kept = threads::CONSOLE.guard(|| {
                drop(self.spans.sorted());
                drop(self.lines.sorted());
                if is_due {
                    self.sample(reader, &mut collected);
                }
            });
            if kept.is_err() {
                thread::sleep(threads::PAUSE);
            }
            if is_due {
                // Samples that a suspended process has missed are not made up for.
                next = now + TICK;
            }
            thread::park_timeout(next.saturating_duration_since(Instant::now()));
        }
    }

    fn sample(&self, reader: &OnDemandReader, collected: &mut ResourceMetrics) {
        self.thinning.tick(self.captures_all());
        metric_values::collect(reader, collected);
        let at = json::now();
        self.history()
            .sample(at, |visit| metric_values::visit(collected, visit));
        self.last_tick.store(at, Ordering::Relaxed);
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Hands over a span or a log record.
    pub(super) fn push<S: Store>(&self, to: &Inbox<S>, item: S::Item, bytes: usize) {
        if to.push(item, bytes) {
            self.wake();
        }
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.history)
    }

    pub(super) fn peers(&self) -> MutexGuard<'_, Vec<Peer>> {
        lock(&self.peers)
    }

    /// Returns the answers about the last sample.
    pub(super) fn answers(&self) -> MutexGuard<'_, Answers> {
        let mut answers = lock(&self.answers);
        answers.begin(self.last_tick());
        answers
    }

    pub(super) fn last_tick(&self) -> u64 {
        self.last_tick.load(Ordering::Relaxed)
    }

    /// Returns an attribute of the resource; empty if there is none.
    pub(super) fn resource_attribute(&self, key: &str) -> String {
        let mut attributes = self.resource.iter();
        let attribute = attributes.find(|(name, _)| name.as_str() == key);
        attribute.map_or_else(String::new, |(_, value)| value.to_string())
    }
}
