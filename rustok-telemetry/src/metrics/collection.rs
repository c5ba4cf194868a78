//! Functions that run before each collection, for values that are read and not recorded where they change.

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

/// Runs `read` before each collection of the metrics, as long as the returned value lives.
///
/// This is for gauges whose value is somewhere already, such as the connections of a pool or the entries of a cache:
/// `read` sets them, so that they are true whenever somebody looks, though nothing happens in between. A collection
/// happens for each export and for each request to `/api/_health/metrics`, on the thread that collects: `read` must
/// not block. If it panics, that is counted in `rustok_telemetry_observation_panics_total`, and it runs again next time.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicI64, Ordering}};
/// use rustok_telemetry::metrics;
///
/// let waiting = Arc::new(AtomicI64::new(0));
/// let read = Arc::clone(&waiting);
/// let _keep = metrics::before_collection(move || {
///     metrics::update_queue_depth("in_memory", read.load(Ordering::Relaxed));
/// });
/// ```
pub fn before_collection(read: impl Fn() + Send + Sync + 'static) -> ObserverGuard {
    let hooks = current_hooks();
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    hooks.lock().insert(id, Arc::new(read));
    ObserverGuard::new(move || {
        let removed = hooks.lock().remove(&id);
        // What the function holds is dropped without the lock.
        drop(removed);
    })
}

/// Runs the functions of the process. While telemetry stops, what was read last stays.
pub(crate) fn run_hooks() {
    if lifecycle::stage() == Stage::Running {
        PROCESS.run();
    }
}

/// How many functions run before a collection, and how many sources are read.
pub(crate) fn hook_count() -> usize {
    PROCESS.lock().len() + PROCESS.sums.sources()
}

/// Functions that run before a collection.
#[derive(Default)]
pub(crate) struct Hooks {
    functions: Mutex<BTreeMap<u64, Hook>>,
    /// What is read from several sources, and added up.
    pub(crate) sums: Sums,
}

type Hook = Arc<dyn Fn() + Send + Sync>;

impl Hooks {
    /// Runs all functions.
    pub(crate) fn run(&self) {
        // Not under the lock: a function may end itself or add another.
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

/// Panics of callbacks that observe a metric.
pub(super) static OBSERVATION_PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts a panic of a callback.
pub(super) fn observation_panicked() {
    OBSERVATION_PANICS.fetch_add(1, Ordering::Relaxed);
}

static NEXT: AtomicU64 = AtomicU64::new(0);
static PROCESS: LazyLock<Arc<Hooks>> = LazyLock::new(Arc::default);

/// Those of the process, or of the test that runs.
pub(crate) fn current_hooks() -> Arc<Hooks> {
    #[cfg(feature = "testing")]
    if let Some(capture) = super::capture::current() {
        return Arc::clone(&capture.hooks);
    }
    Arc::clone(&PROCESS)
}
