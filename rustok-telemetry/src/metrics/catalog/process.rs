//! Facts of the process, under the names that Prometheus' client libraries give them, and with their help texts.
//!
//! They are read from `/proc` at collection. On systems other than Linux nothing is reported.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Declarations; they are observed, so there is no function to call.
#[crate::metrics(namespace = "process")]
mod declared {
    /// Total user and system CPU time spent in seconds.
    #[observable_counter(name = "cpu_seconds_total", observe = super::cpu_seconds)]
    fn cpu_seconds() -> f64;

    /// Resident memory size in bytes.
    #[observable_gauge(name = "resident_memory_bytes", observe = super::resident_memory)]
    fn resident_memory() -> u64;

    /// Virtual memory size in bytes.
    #[observable_gauge(name = "virtual_memory_bytes", observe = super::virtual_memory)]
    fn virtual_memory() -> u64;

    /// Number of open file descriptors.
    #[observable_gauge(name = "open_fds", observe = super::open_fds)]
    fn open_fds() -> u64;

    /// Maximum number of open file descriptors.
    ///
    /// Absent where there is no limit.
    #[observable_gauge(name = "max_fds", observe = super::max_fds)]
    fn max_fds() -> u64;

    /// Start time of the process since unix epoch in seconds.
    #[observable_gauge(name = "start_time_seconds", observe = super::start_time)]
    fn start_time() -> f64;

    /// Number of OS threads in the process.
    #[observable_gauge(name = "threads", observe = super::threads)]
    fn threads() -> u64;
}

/// What is known of the process at one moment. What can't be read is absent.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    cpu_seconds: Option<f64>,
    resident_memory: Option<u64>,
    virtual_memory: Option<u64>,
    open_fds: Option<u64>,
    max_fds: Option<u64>,
    start_time: Option<f64>,
    threads: Option<u64>,
}

/// How long facts are fresh: long enough for the observations of one collection, which come one after the other.
const FRESH: Duration = Duration::from_millis(50);

/// The facts of the process, read at most once for a collection.
fn facts() -> Facts {
    static LAST: Mutex<Option<(Instant, Facts)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match *last {
        Some((read, facts)) if read.elapsed() < FRESH => facts,
        _ => {
            let facts = system::read();
            *last = Some((Instant::now(), facts));
            facts
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::sync::OnceLock;

    use procfs::process::{LimitValue, Process, Stat};

    use super::Facts;

    pub(crate) fn read() -> Facts {
        let Ok(process) = Process::myself() else {
            return Facts::default();
        };
        let limits = process.limits().ok();
        let mut facts = Facts {
            open_fds: process.fd_count().ok().map(|fds| fds as u64),
            max_fds: limits.and_then(|limits| match limits.max_open_files.soft_limit {
                LimitValue::Value(limit) => Some(limit),
                LimitValue::Unlimited => None,
            }),
            ..Facts::default()
        };
        if let Ok(stat) = process.stat() {
            facts.cpu_seconds = Some(seconds(stat.utime + stat.stime));
            facts.resident_memory = Some(stat.rss * procfs::page_size());
            facts.virtual_memory = Some(stat.vsize);
            facts.start_time = start_time(&stat);
            facts.threads = u64::try_from(stat.num_threads).ok();
        }
        facts
    }

    /// The kernel tells it as ticks since the system's start, and moves that when the clock is set. A process starts
    /// once, so this is asked once.
    fn start_time(stat: &Stat) -> Option<f64> {
        static START: OnceLock<f64> = OnceLock::new();
        let known = START.get().copied();
        known.or_else(|| {
            let boot = procfs::boot_time_secs().ok()?;
            Some(*START.get_or_init(|| boot as f64 + seconds(stat.starttime)))
        })
    }

    fn seconds(ticks: u64) -> f64 {
        ticks as f64 / procfs::ticks_per_second() as f64
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Facts;

    pub(crate) fn read() -> Facts {
        Facts::default()
    }
}

fn report<T>(report: &mut dyn FnMut([&str; 0], T), fact: Option<T>) {
    if let Some(fact) = fact {
        report([], fact);
    }
}

fn cpu_seconds(observe: &mut dyn FnMut([&str; 0], f64)) {
    report(observe, facts().cpu_seconds);
}

fn resident_memory(observe: &mut dyn FnMut([&str; 0], u64)) {
    report(observe, facts().resident_memory);
}

fn virtual_memory(observe: &mut dyn FnMut([&str; 0], u64)) {
    report(observe, facts().virtual_memory);
}

fn open_fds(observe: &mut dyn FnMut([&str; 0], u64)) {
    report(observe, facts().open_fds);
}

fn max_fds(observe: &mut dyn FnMut([&str; 0], u64)) {
    report(observe, facts().max_fds);
}

fn start_time(observe: &mut dyn FnMut([&str; 0], f64)) {
    report(observe, facts().start_time);
}

fn threads(observe: &mut dyn FnMut([&str; 0], u64)) {
    report(observe, facts().threads);
}
