//! Where the telemetry of this process stands: not started, running, switched off, stopping or shut down.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Stages, in the order in which they follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// `init` has not been called, or not yet succeeded.
    NotStarted = 0,
    /// Values and spans are recorded.
    Running = 1,
    /// `OTEL_SDK_DISABLED=true`: everything is a no-op.
    Disabled = 2,
    /// Nothing is recorded any more; what was recorded is on its way out.
    Stopping = 3,
    /// Everything has been sent, or given up.
    ShutDown = 4,
}

impl Stage {
    /// As the health report says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Running => "running",
            Self::Disabled => "disabled",
            Self::Stopping => "stopping",
            Self::ShutDown => "shut_down",
        }
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

/// Records that went nowhere, by reason. Read by the self metrics.
pub(crate) static LOST: LostRecords = LostRecords {
    before_init: AtomicU64::new(0),
    after_shutdown: AtomicU64::new(0),
    not_finite: AtomicU64::new(0),
    negative: AtomicU64::new(0),
};

/// Records that went nowhere in this process, by reason: `before_init`, `after_shutdown`, `not_finite`, `negative`.
///
/// The same numbers are in `rustok_telemetry_records_lost_total`; this function can be called when there is no text
/// any more.
///
/// ```
/// rustok_telemetry::metrics::record_event_published("TooEarly", "acme");
/// assert_eq!(rustok_telemetry::lost_records()[0], ("before_init", 1));
/// ```
pub fn lost_records() -> [(&'static str, u64); 4] {
    LOST.by_reason()
}

/// Counts of records that went nowhere.
pub(crate) struct LostRecords {
    pub(crate) before_init: AtomicU64,
    pub(crate) after_shutdown: AtomicU64,
    pub(crate) not_finite: AtomicU64,
    pub(crate) negative: AtomicU64,
}

impl LostRecords {
    /// Each reason with its count.
    pub(crate) fn by_reason(&self) -> [(&'static str, u64); 4] {
        [
            ("before_init", &self.before_init),
            ("after_shutdown", &self.after_shutdown),
            ("not_finite", &self.not_finite),
            ("negative", &self.negative),
        ]
        .map(|(reason, count)| (reason, count.load(Ordering::Relaxed)))
    }
}
