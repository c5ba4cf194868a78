//! Callbacks that run before each collection, for values that are read rather than recorded at each change.

use std::{
    collections::BTreeMap,
    panic::Location,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    ObserverGuard,
    callbacks::{self, Callback},
    summed::Sums,
};
use crate::{
    lifecycle::{self, Stage},
    lock::lock,
};

/// Registers `read` to run before each collection of the metrics. Dropping the returned guard unregisters it.
///
/// Use it for gauges whose value exists elsewhere, such as the connections of a pool or the entries of a cache: `read`
/// sets the gauge, so each collection has the current value. A collection happens for each export and each request to
/// `/api/_health/metrics`. If `read` panics, the panic is counted by `rustok_telemetry_observation_panics_total`, and
/// `read` runs again at the next collection.
///
/// `read` runs on a thread of its own, and must not block: a collection waits for all callbacks together, at most 500 ms.
/// A callback that has not returned by then is logged, listed in the [health](crate::health()), counted by
/// `rustok_telemetry_observation_timeouts_total`, and skipped until it returns. Its gauges keep their values.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicI64, Ordering}};
/// use rustok_telemetry::metrics;
///
/// let waiting = Arc::new(AtomicI64::new(0));
/// let read = Arc::clone(&waiting);
/// let _guard = metrics::before_collection(move || {
///     metrics::update_queue_depth("in_memory", read.load(Ordering::Relaxed));
/// });
/// ```
#[track_caller]
pub fn before_collection(read: impl Fn() + Send + Sync + 'static) -> ObserverGuard {
    let hooks = current_hooks();
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = registered_at("before_collection");
    let hook = Arc::new(Callback::new(name, read));
    hooks.lock().insert(id, hook);
    ObserverGuard::new(move || {
        let removed = hooks.lock().remove(&id);
        // The callback's captures are dropped without the lock.
        drop(removed);
    })
}

/// Describes a callback by where the service registers it.
#[track_caller]
pub(crate) fn registered_at(function: &str) -> String {
    format!("{function} at {}", Location::caller())
}

/// Runs the callbacks of the process, before the SDK collects. During shutdown gauges keep their last values, and only
/// observable metrics are read.
pub(crate) fn run_hooks() {
    let stage = lifecycle::stage();
    let observations = lock(&OBSERVATIONS).clone();
    match stage {
        Stage::Running => {
            callbacks::run_all(PROCESS.callbacks().into_iter().chain(observations));
            PROCESS.sums.report();
        }
        Stage::Stopping => callbacks::run_all(observations),
        Stage::NotStarted | Stage::Disabled | Stage::ShutDown => {}
    }
}

/// Adds a callback that reads an observable metric.
pub(super) fn add_observation(callback: Arc<Callback>) {
    lock(&OBSERVATIONS).push(callback);
}

/// Returns the number of registered callbacks, sources of sums included.
pub(crate) fn hook_count() -> usize {
    PROCESS.lock().len() + PROCESS.sums.sources()
}

/// Callbacks that run before a collection.
#[derive(Default)]
pub(crate) struct Hooks {
    functions: Mutex<BTreeMap<u64, Arc<Callback>>>,
    /// Gauges that are the sum of several sources.
    pub(crate) sums: Sums,
}

impl Hooks {
    /// Runs the callbacks of a test capture, on its thread.
    #[cfg(feature = "testing")]
    pub(super) fn run(&self) {
        self.callbacks().into_iter().for_each(Callback::run);
        self.sums.report();
    }

    // The locks are not held while they run: a callback may unregister itself or register another.
    fn callbacks(&self) -> Vec<Arc<Callback>> {
        let mut all: Vec<_> = self.lock().values().cloned().collect();
        self.sums.add_callbacks(&mut all);
        all
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Callback>>> {
        lock(&self.functions)
    }
}

static NEXT: AtomicU64 = AtomicU64::new(0);
static PROCESS: LazyLock<Arc<Hooks>> = LazyLock::new(Arc::default);

/// Callbacks of observable metrics, which are never unregistered.
static OBSERVATIONS: Mutex<Vec<Arc<Callback>>> = Mutex::new(Vec::new());

/// Returns the callbacks of the current test capture, or else those of the process.
pub(crate) fn current_hooks() -> Arc<Hooks> {
    #[cfg(feature = "testing")]
    if let Some(capture) = super::capture::current() {
        return Arc::clone(&capture.hooks);
    }
    Arc::clone(&PROCESS)
}
