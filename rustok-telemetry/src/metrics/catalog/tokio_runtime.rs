//! Metrics of tokio runtimes: workers, tasks, queue and utilization.
//!
//! Each collection reads the runtime's own counters; nothing is recorded in between.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use rustok_telemetry::runtime;
//!
//! runtime::observe_tokio("main", &tokio::runtime::Handle::current()).detach();
//! # }
//! ```
//!
//! | metric | meaning |
//! |---|---|
//! | `rustok_tokio_workers{runtime}` | worker threads |
//! | `rustok_tokio_alive_tasks{runtime}` | tasks that have not completed; a steady rise is a task leak |
//! | `rustok_tokio_global_queue_depth{runtime}` | tasks waiting in the global queue; constantly above zero is overload |
//! | `rustok_tokio_busy_seconds_total{runtime}` | time that the workers were busy, summed over all workers |
//! | `rustok_tokio_parks_total{runtime}` | times that a worker parked because it had no work |
//!
//! The utilization of the workers is `rate(rustok_tokio_busy_seconds_total[5m]) / rustok_tokio_workers`.
//!
//! These are tokio's metrics that do not need `tokio_unstable`. The feature `process` adds memory and CPU time of the
//! process, see the [crate's documentation](crate#cargo-features).

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::runtime::{Handle, RuntimeMetrics};

use crate::metrics::ObserverGuard;

/// Declarations. Observables have no function to call.
#[crate::metrics(namespace = "rustok", subsystem = "tokio")]
mod declared {
    /// Worker threads of the tokio runtime.
    #[observable_gauge(name = "workers", observe = super::workers)]
    fn workers(#[label(budget = 5)] runtime: &str) -> u64;

    /// Tasks of the tokio runtime that have not completed.
    #[observable_gauge(name = "alive_tasks", observe = super::alive_tasks)]
    fn alive_tasks(#[label(budget = 5)] runtime: &str) -> u64;

    /// Tasks waiting in the tokio runtime's global queue.
    #[observable_gauge(name = "global_queue_depth", observe = super::global_queue_depth)]
    fn global_queue_depth(#[label(budget = 5)] runtime: &str) -> u64;

    /// Time that the workers of the tokio runtime were busy, summed over all workers.
    #[observable_counter(name = "busy_seconds_total", observe = super::busy_seconds)]
    fn busy_seconds(#[label(budget = 5)] runtime: &str) -> f64;

    /// Times that a worker of the tokio runtime parked because it had no work.
    #[observable_counter(name = "parks_total", observe = super::parks)]
    fn parks(#[label(budget = 5)] runtime: &str) -> u64;
}

/// Reports the metrics of a tokio runtime. Dropping the returned guard ends it.
///
/// `name` is the label `runtime`. The first six names of a process are reported; observations of further ones are
/// dropped, and counted by `rustok_telemetry_observations_dropped_total`. A runtime replaces an earlier one with the
/// same name.
///
/// ```
/// use rustok_telemetry::runtime;
///
/// let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
/// let observed = runtime::observe_tokio("background", runtime.handle());
/// // … before the runtime shuts down:
/// drop(observed);
/// drop(runtime);
/// ```
pub fn observe_tokio(name: impl Into<String>, runtime: &Handle) -> ObserverGuard {
    let (name, id) = (name.into(), NEXT.fetch_add(1, Ordering::Relaxed));
    let metrics = runtime.metrics();
    let replaced = runtimes().insert(name.clone(), Observed { id, metrics });
    // Dropped without the lock, as below.
    drop(replaced);
    ObserverGuard::new(move || {
        let mut runtimes = runtimes();
        let removed = match runtimes.get(&name) {
            Some(observed) if observed.id == id => runtimes.remove(&name),
            _ => None,
        };
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

/// Reports a value of each runtime, without holding the lock.
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
