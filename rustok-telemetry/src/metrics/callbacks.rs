//! Runs callbacks of the service beside the collecting thread, with a time limit, so that one that panics or hangs
//! affects its own values alone.
//!
//! A collection starts a thread that runs the callbacks in turn. While one does not return, another thread runs the
//! remaining ones. A callback that has not returned at the [`LIMIT`] keeps its thread, and later collections skip it
//! until it returns. Without callbacks no thread is started.

use std::{
    collections::VecDeque,
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use opentelemetry::Context;

use crate::lock::lock;

/// Longest time that a collection waits for callbacks, and again for registries of the `prometheus` crate.
const LIMIT: Duration = Duration::from_millis(500);

/// Time without a returning callback after which another thread runs the remaining ones.
const PATIENCE: Duration = Duration::from_millis(50);

pub(super) static PANICS: AtomicU64 = AtomicU64::new(0);

/// Values that collections lacked, because their callback had not returned.
pub(super) static TIMEOUTS: AtomicU64 = AtomicU64::new(0);

/// The callbacks that did not return in time, and still have not.
static HANGING: Mutex<Vec<Arc<Status>>> = Mutex::new(Vec::new());

/// A callback of the service.
pub(super) struct Callback {
    status: Arc<Status>,
    run: Box<dyn Fn() + Send + Sync>,
}

/// What is known of a callback without owning what it captures.
struct Status {
    name: String,
    /// When it was last started.
    began: Mutex<Instant>,
    hangs: AtomicBool,
}

impl Callback {
    /// `name` describes the callback in the health.
    pub(super) fn new(name: String, run: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            status: Arc::new(Status {
                name,
                began: Mutex::new(Instant::now()),
                hangs: AtomicBool::new(false),
            }),
            run: Box::new(run),
        }
    }

    /// Whether it did not return in time, and still has not.
    pub(super) fn hangs(&self) -> bool {
        self.status.hangs.load(Ordering::Relaxed)
    }

    /// Runs it on this thread, whatever time it takes. A panic is counted.
    pub(super) fn run(self: Arc<Self>) {
        // Its captures may be dropped here, which may panic too.
        if catch_unwind(AssertUnwindSafe(move || (self.run)())).is_err() {
            panicked();
        }
    }
}

pub(super) fn panicked() {
    PANICS.fetch_add(1, Ordering::Relaxed);
}

/// A callback whose result is kept until it runs again.
pub(crate) struct ReadAhead<T> {
    pub(super) callback: Arc<Callback>,
    latest: Arc<Mutex<Option<T>>>,
}

impl<T: Send + 'static> ReadAhead<T> {
    pub(super) fn new(name: String, read: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let latest = Arc::<Mutex<Option<T>>>::default();
        let kept = Arc::clone(&latest);
        let callback = Callback::new(name, move || {
            let (values, panic) = match catch_unwind(AssertUnwindSafe(&read)) {
                Ok(values) => (Some(values), None),
                Err(panic) => (None, Some(panic)),
            };
            let before = mem::replace(&mut *lock(&kept), values);
            drop(before);
            if let Some(panic) = panic {
                resume_unwind(panic);
            }
        });
        Self {
            callback: Arc::new(callback),
            latest,
        }
    }

    /// Returns the last result; `None` before the first one and after a panic.
    pub(super) fn latest(&self) -> MutexGuard<'_, Option<T>> {
        lock(&self.latest)
    }
}

impl<T> Clone for ReadAhead<T> {
    fn clone(&self) -> Self {
        Self {
            callback: Arc::clone(&self.callback),
            latest: Arc::clone(&self.latest),
        }
    }
}

/// Runs the callbacks, and waits for them up to the [`LIMIT`]. Those that hang since an earlier collection are skipped.
pub(super) fn run_all(callbacks: impl IntoIterator<Item = Arc<Callback>>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let one_at_a_time = lock(&ONE_AT_A_TIME);
    let callbacks = callbacks.into_iter();
    let (hanging, waiting): (Vec<_>, Vec<_>) = callbacks.partition(|callback| callback.hangs());
    TIMEOUTS.fetch_add(hanging.len() as u64, Ordering::Relaxed);
    if waiting.is_empty() {
        return;
    }
    let late = Round::run(waiting.into());
    drop(one_at_a_time);
    for status in late {
        tracing::warn!(
            "the metric callback {} has not returned within {} ms. Its values are missing or old until it returns; the \
             other metrics are collected. Callbacks must not block.",
            status.name,
            LIMIT.as_millis(),
        );
    }
}

/// Visits each callback that hangs, with the time since its start.
pub(crate) fn visit_hanging(visit: &mut dyn FnMut(&str, Duration)) {
    for status in lock(&HANGING).iter() {
        visit(&status.name, lock(&status.began).elapsed());
    }
}

/// The callbacks of one collection.
#[derive(Default)]
struct Round {
    state: Mutex<State>,
    all_returned: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<Callback>>,
    running: Vec<Arc<Status>>,
    returned: usize,
}

impl Round {
    /// Returns those that have not returned in time.
    fn run(waiting: VecDeque<Arc<Callback>>) -> Vec<Arc<Status>> {
        let round = Arc::<Self>::default();
        lock(&round.state).waiting = waiting;
        if !round.start_thread() {
            // Without a further thread, values are worth more than the limit.
            round.work();
        }
        let deadline = Instant::now() + LIMIT;
        let mut state = lock(&round.state);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if (state.waiting.is_empty() && state.running.is_empty()) || left.is_zero() {
                break;
            }
            let returned = state.returned;
            let waited = round.all_returned.wait_timeout(state, left.min(PATIENCE));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.returned == returned && !state.waiting.is_empty() {
                drop(state);
                round.start_thread();
                state = lock(&round.state);
            }
        }
        let not_begun = mem::take(&mut state.waiting);
        let late = state.running.clone();
        for status in &late {
            status.hangs.store(true, Ordering::Relaxed);
        }
        lock(&HANGING).extend(late.iter().cloned());
        drop(state);
        TIMEOUTS.fetch_add((late.len() + not_begun.len()) as u64, Ordering::Relaxed);
        late
    }

    fn start_thread(self: &Arc<Self>) -> bool {
        let round = Arc::clone(self);
        let thread = thread::Builder::new().name("telemetry-callbacks".to_owned());
        thread.spawn(move || round.work()).is_ok()
    }

    fn work(&self) {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        while let Some((callback, status)) = self.next() {
            callback.run();
            self.finish(&status);
        }
    }

    fn next(&self) -> Option<(Arc<Callback>, Arc<Status>)> {
        let mut state = lock(&self.state);
        let callback = state.waiting.pop_front()?;
        let status = Arc::clone(&callback.status);
        *lock(&status.began) = Instant::now();
        state.running.push(Arc::clone(&status));
        Some((callback, status))
    }

    fn finish(&self, status: &Arc<Status>) {
        let mut state = lock(&self.state);
        state
            .running
            .retain(|running| !Arc::ptr_eq(running, status));
        state.returned += 1;
        if status.hangs.swap(false, Ordering::Relaxed) {
            lock(&HANGING).retain(|hanging| !Arc::ptr_eq(hanging, status));
        }
        if state.waiting.is_empty() && state.running.is_empty() {
            self.all_returned.notify_one();
        }
    }
}
