//! Where the telemetry of this process stands: not started, running, switched off, stopping or shut down.

use std::{
    fmt,
    sync::atomic::{AtomicU8, AtomicU64, Ordering},
};

/// A stage in the life of the telemetry of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Stage {
    /// `init` has not been called, or not yet succeeded.
    NotStarted = 0,
    /// Values and spans are recorded.
    Running = 1,
    /// `OTEL_SDK_DISABLED=true`: nothing is recorded.
    Disabled = 2,
    /// Shutdown has begun: nothing more is recorded, and the last exports run.
    Stopping = 3,
    /// Shutdown has ended.
    ShutDown = 4,
}

impl Stage {
    /// Returns the name: `not_started`, `running`, `disabled`, `stopping` or `shut_down`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Running => "running",
            Self::Disabled => "disabled",
            Self::Stopping => "stopping",
            Self::ShutDown => "shut_down",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

static STAGE: AtomicU8 = AtomicU8::new(Stage::NotStarted as u8);

/// Whether values and spans are recorded.
#[inline]
pub(crate) fn is_running() -> bool {
    STAGE.load(Ordering::Relaxed) == Stage::Running as u8
}

pub(crate) fn stage() -> Stage {
    match STAGE.load(Ordering::Relaxed) {
        1 => Stage::Running,
        2 => Stage::Disabled,
        3 => Stage::Stopping,
        4 => Stage::ShutDown,
        _ => Stage::NotStarted,
    }
}

pub(crate) fn enter(stage: Stage) {
    STAGE.store(stage as u8, Ordering::Relaxed);
}

/// Counts of dropped records.
pub(crate) static DROPPED: Dropped = Dropped {
    before_init: AtomicU64::new(0),
    after_shutdown: AtomicU64::new(0),
    not_finite: AtomicU64::new(0),
    negative: AtomicU64::new(0),
};

/// Returns how many metric records this process has dropped, by reason.
///
/// `rustok_telemetry_records_lost_total` has the same counts; this function also works after shutdown, when there is no
/// text any more.
///
/// ```
/// rustok_telemetry::metrics::record_event_published("TooEarly", "acme");
/// assert_eq!(rustok_telemetry::lost_records().before_init, 1);
/// ```
pub fn lost_records() -> LostRecords {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    LostRecords {
        before_init: read(&DROPPED.before_init),
        after_shutdown: read(&DROPPED.after_shutdown),
        not_finite: read(&DROPPED.not_finite),
        negative: read(&DROPPED.negative),
    }
}

/// Dropped metric records, by reason. See [`lost_records`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostRecords {
    /// Recorded before [`init`](crate::init()).
    pub before_init: u64,
    /// Recorded after shutdown had begun.
    pub after_shutdown: u64,
    /// Values that were NaN or infinite.
    pub not_finite: u64,
    /// Negative values of counters and histograms.
    pub negative: u64,
}

impl LostRecords {
    /// Returns the sum of all reasons.
    pub fn total(&self) -> u64 {
        self.by_reason().iter().map(|(_, records)| records).sum()
    }

    /// Returns each reason with its count, as `rustok_telemetry_records_lost_total` labels them.
    pub fn by_reason(&self) -> [(&'static str, u64); 4] {
        [
            ("before_init", self.before_init),
            ("after_shutdown", self.after_shutdown),
            ("not_finite", self.not_finite),
            ("negative", self.negative),
        ]
    }
}

pub(crate) struct Dropped {
    pub(crate) before_init: AtomicU64,
    pub(crate) after_shutdown: AtomicU64,
    pub(crate) not_finite: AtomicU64,
    pub(crate) negative: AtomicU64,
}
