//! The tokio runtime: workers, tasks, queue, and how busy it is.
//!
//! Nothing is recorded while the runtime works; its own counts are read at each collection.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use rustok_telemetry::runtime;
//!
//! runtime::observe_tokio("main", &tokio::runtime::Handle::current()).detach();
//! # }
//! ```
//!
//! | metric | what it tells |
//! |---|---|
//! | `rustok_tokio_workers{runtime}` | threads that run tasks |
//! | `rustok_tokio_alive_tasks{runtime}` | tasks that have begun and not ended: a leak of tasks is a line that rises |
//! | `rustok_tokio_global_queue_depth{runtime}` | tasks that wait for any worker: what stays above zero is overload |
//! | `rustok_tokio_busy_seconds_total{runtime}` | time that all workers together were not idle |
//! | `rustok_tokio_parks_total{runtime}` | how often a worker had nothing to do and went to sleep |
//!
//! The share of the workers that is busy is
//! `rate(rustok_tokio_busy_seconds_total[5m]) / rustok_tokio_workers`.
//!
//! These are what tokio offers without `tokio_unstable`. Facts of the process, such as its memory and its time on the
//! processor, come with the feature `process`, see the [crate's documentation](crate#cargo-features).

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::runtime::{Handle, RuntimeMetrics};

use crate::metrics::ObserverGuard;

/// Declarations; they are observed, so there is no function to call.
#[crate::metrics(namespace = "rustok", subsystem = "tokio")]
mod declared {
    /// Worker threads of the tokio runtime.
    #[observable_gauge(name = "workers", observe = super::workers)]
    fn workers(#[label(budget = 5)] runtime: &str) -> u64;

    /// Tasks of the tokio runtime that have begun and not ended.
    #[observable_gauge(name = "alive_tasks", observe = super::alive_tasks)]
    fn alive_tasks(#[label(budget = 5)] runtime: &str) -> u64;

    /// Tasks that wait in the tokio runtime's global queue for any worker.
    #[observable_gauge(name = "global_queue_depth", observe = super::global_queue_depth)]
    fn global_queue_depth(#[label(budget = 5)] runtime: &str) -> u64;

    /// Time that the workers of the tokio runtime were busy, all together.
    #[observable_counter(name = "busy_seconds_total", observe = super::busy_seconds)]
    fn busy_seconds(#[label(budget = 5)] runtime: &str) -> f64;

    /// How often a worker of the tokio runtime had nothing to do and went to sleep.
    #[observable_counter(name = "parks_total", observe = super::parks)]
    fn parks(#[label(budget = 5)] runtime: &str) -> u64;
}

/// Reports a tokio runtime in the metrics, as long as the returned value lives.
///
/// `name` becomes the label `runtime`, whose budget is five: runtimes past it are left out, and counted in
/// `rustok_telemetry_observations_dropped_total`. Another runtime of the same name takes the place of the first.
///
/// ```
/// use rustok_telemetry::runtime;
///
/// let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
/// let observed = runtime::observe_tokio("background", runtime.handle());
/// // … and when the runtime is to go:
/// drop(observed);
/// drop(runtime);
/// ```
pub fn observe_tokio(name: impl Into<String>, runtime: &Handle) -> ObserverGuard {
    let (name, id) = (name.into(), NEXT.fetch_add(1, Ordering::Relaxed));
    let metrics = runtime.metrics();
    let replaced = runtimes().insert(name.clone(), Observed { id, metrics });
    // What it holds is dropped without the lock.
    drop(replaced);
    ObserverGuard::new(move || {
        let mut runtimes = runtimes();
        let is_mine = |observed: &Observed| observed.id == id;
        let removed = if runtimes.get(&name).is_some_and(is_mine) {
            runtimes.remove(&name)
        } else {
            None
        };
        // What it holds is dropped without the lock.
        drop(runtimes);
        drop(removed);
    })
}

#[derive(Clone)]
struct Observed {
    id: u64,
    metrics: RuntimeMetrics,
}

static NEXT: AtomicU64 = AtomicU64::new(0);
static RUNTIMES: Mutex<BTreeMap<String, Observed>> = Mutex::new(BTreeMap::new());

fn runtimes() -> MutexGuard<'static, BTreeMap<String, Observed>> {
    RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reports a value of each runtime. Not under the lock, which is not the SDK's to hold.
fn visit<T>(report: &mut dyn FnMut([&str; 1], T), value: impl Fn(&RuntimeMetrics) -> T) {
    let runtimes = runtimes().clone();
    for (name, Observed { metrics, .. }) in &runtimes {
        report([name], value(metrics));
    }
}

fn workers(report: &mut dyn FnMut([&str; 1], u64)) {
    visit(report, |metrics| metrics.num_workers() as u64);
}

fn alive_tasks(report: &mut dyn FnMut([&str; 1], u64)) {
    visit(report, |metrics| metrics.num_alive_tasks() as u64);
}

fn global_queue_depth(report: &mut dyn FnMut([&str; 1], u64)) {
    visit(report, |metrics| metrics.global_queue_depth() as u64);
}

fn busy_seconds(report: &mut dyn FnMut([&str; 1], f64)) {
    visit(report, |metrics| {
        let workers = 0..metrics.num_workers();
        workers
            .map(|worker| metrics.worker_total_busy_duration(worker).as_secs_f64())
            .sum()
    });
}

fn parks(report: &mut dyn FnMut([&str; 1], u64)) {
    visit(report, |metrics| {
        let workers = 0..metrics.num_workers();
        workers
            .map(|worker| metrics.worker_park_count(worker))
            .sum()
    });
}
