//! Callbacks that run before each collection, for values that are read rather than recorded at each change.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{ObserverGuard, summed::Sums};
use crate::lifecycle::{self, Stage};

/// Registers `read` to run before each collection of the metrics. Dropping the returned guard unregisters it.
///
/// Use it for gauges whose value exists elsewhere, such as the connections of a pool or the entries of a cache: `read`
/// sets the gauge, so each collection has the current value. A collection happens for each export and each request to
/// `/api/_health/metrics`, on the collecting thread, so `read` must not block. If `read` panics, the panic is counted
/// by `rustok_telemetry_observation_panics_total`, and `read` runs again at the next collection.
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
pub fn before_collection(read: impl Fn() + Send + Sync + 'static) -> ObserverGuard {
    let hooks = current_hooks();
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    hooks.lock().insert(id, Arc::new(read));
    ObserverGuard::new(move || {
        let removed = hooks.lock().remove(&id);
        // The callback's captures are dropped without the lock.
        drop(removed);
    })
}

/// Runs the callbacks of the process. During shutdown gauges keep their last values.
pub(crate) fn run_hooks() {
    if lifecycle::stage() == Stage::Running {
        PROCESS.run();
    }
}

/// Returns the number of registered callbacks, sources of sums included.
pub(crate) fn hook_count() -> usize {
    PROCESS.lock().len() + PROCESS.sums.sources()
}

/// Callbacks that run before a collection.
#[derive(Default)]
pub(crate) struct Hooks {
    functions: Mutex<BTreeMap<u64, Hook>>,
    /// Gauges that are the sum of several sources.
    pub(crate) sums: Sums,
}

type Hook = Arc<dyn Fn() + Send + Sync>;

impl Hooks {
    pub(crate) fn run(&self) {
        // Without the lock: a callback may unregister itself or register another.
        let hooks: Vec<_> = self.lock().values().cloned().collect();
        for hook in &hooks {
            if catch_unwind(AssertUnwindSafe(|| hook())).is_err() {
                observation_panicked();
            }
        }
        self.sums.report();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Hook>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) static OBSERVATION_PANICS: AtomicU64 = AtomicU64::new(0);

pub(super) fn observation_panicked() {
    OBSERVATION_PANICS.fetch_add(1, Ordering::Relaxed);
}

static NEXT: AtomicU64 = AtomicU64::new(0);
static PROCESS: LazyLock<Arc<Hooks>> = LazyLock::new(Arc::default);

/// Returns the callbacks of the current test capture, or else those of the process.
pub(crate) fn current_hooks() -> Arc<Hooks> {
    #[cfg(feature = "testing")]
    if let Some(capture) = super::capture::current() {
        return Arc::clone(&capture.hooks);
    }
    Arc::clone(&PROCESS)
}
