//! Numbers and ids of the interface.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, with a fraction.
pub(super) fn milliseconds(time: SystemTime) -> f64 {
    in_milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

pub(super) fn in_milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Whole milliseconds since 1970.
pub(super) fn now() -> u64 {
    milliseconds(SystemTime::now()) as u64
}

/// Milliseconds of nanoseconds.
pub(super) fn of_nanoseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// Returns an id of OTLP as text; `None` for none.
pub(super) fn hex(id: &[u8]) -> Option<String> {
    let digits = id.iter().map(|byte| format!("{byte:02x}"));
    (!id.is_empty()).then(|| digits.collect())
}
