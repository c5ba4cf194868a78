//! Process metrics, with the names and help texts of the Prometheus client libraries.
//!
//! They are read from `/proc` at collection. On systems other than Linux they are absent.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Declarations. Observables have no function to call.
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

/// Defines the snapshot of the process, and the callback of each field.
macro_rules! snapshot {
    ($($field:ident: $value:ty,)*) => {
        /// A snapshot of the process. A value that cannot be read is `None`.
        #[derive(Debug, Clone, Copy, Default)]
        struct Snapshot {
            $($field: Option<$value>,)*
        }

        $(fn $field(report: &mut dyn FnMut([&str; 0], $value)) {
            if let Some(value) = snapshot().$field {
                report([], value);
            }
        })*
    };
}

snapshot! {
    cpu_seconds: f64,
    resident_memory: u64,
    virtual_memory: u64,
    open_fds: u64,
    max_fds: u64,
    start_time: f64,
    threads: u64,
}

/// Maximum age of a shared snapshot: enough for the callbacks of one collection.
const MAX_AGE: Duration = Duration::from_millis(50);

/// Returns the snapshot of the current collection, whose callbacks share it.
fn snapshot() -> Snapshot {
    static LAST: Mutex<Option<(Instant, Snapshot)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match *last {
        Some((read, snapshot)) if read.elapsed() < MAX_AGE => snapshot,
        _ => {
            let snapshot = system::read();
            *last = Some((Instant::now(), snapshot));
            snapshot
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::sync::OnceLock;

    use procfs::process::{LimitValue, Process, Stat};

    use super::Snapshot;

    pub(crate) fn read() -> Snapshot {
        let Ok(process) = Process::myself() else {
            return Snapshot::default();
        };
        let limits = process.limits().ok();
        let mut snapshot = Snapshot {
            open_fds: process.fd_count().ok().map(|fds| fds as u64),
            max_fds: limits.and_then(|limits| match limits.max_open_files.soft_limit {
                LimitValue::Value(limit) => Some(limit),
                LimitValue::Unlimited => None,
            }),
            ..Snapshot::default()
        };
        if let Ok(stat) = process.stat() {
            snapshot.cpu_seconds = Some(seconds(stat.utime + stat.stime));
            snapshot.resident_memory = Some(stat.rss * procfs::page_size());
            snapshot.virtual_memory = Some(stat.vsize);
            snapshot.start_time = start_time(&stat);
            snapshot.threads = u64::try_from(stat.num_threads).ok();
        }
        snapshot
    }

    /// Returns the start time, computed once: the boot time that it is relative to moves when the clock is set.
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
    use super::Snapshot;

    pub(crate) fn read() -> Snapshot {
        Snapshot::default()
    }
}
