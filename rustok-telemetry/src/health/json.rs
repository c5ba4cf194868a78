//! Health as JSON.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::{Health, QueueHealth, SignalHealth, SpoolHealth};

/// The last second that RFC 3339 represents, 9999-12-31T23:59:59Z, in seconds since 1970.
const LAST_SECOND: u64 = 253_402_300_799;

impl Health {
    /// Returns the JSON that `GET /api/_health/telemetry` serves. Later versions only add keys.
    ///
    /// Times are objects such as `{"at": "2026-11-23T10:05:09Z", "seconds_ago": 1.5}`, and `null` for what has not
    /// happened. The keys under `signals` are `traces`, `metrics` and `logs`.
    pub fn to_json(&self) -> Value {
        let now = SystemTime::now();
        let signals = self
            .signals
            .iter()
            .map(|signal| (signal.name.to_owned(), of_signal(signal, now)));
        let folded = self.labels_folded.iter().map(|folded| {
            json!({"metric": folded.metric, "label": folded.label, "records": folded.records})
        });
        let hanging = self.hanging_callbacks.iter().map(|hanging| {
            json!({"callback": hanging.callback, "seconds": seconds(hanging.running_for)})
        });
        json!({
            "stage": self.stage.as_str(),
            "signals": signals.collect::<Map<_, _>>(),
            "records_lost": by_reason(&self.records_lost.by_reason()),
            "labels_folded": folded.collect::<Vec<_>>(),
            "hanging_callbacks": hanging.collect::<Vec<_>>(),
            "thread_panics": by_reason(&self.thread_panics),
            "problems": self.diagnostics,
        })
    }
}

/// The same as [`Health::to_json`].
#[cfg(feature = "serde")]
impl serde::Serialize for Health {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

fn of_signal(signal: &SignalHealth, now: SystemTime) -> Value {
    let failure = signal.last_failure.as_ref().map(|failure| {
        let mut shown = moment(failure.at, now);
        shown["reason"] = json!(failure.reason);
        shown
    });
    let rejection = signal.last_rejection.as_ref();
    json!({
        "endpoint": signal.endpoint,
        "successes": signal.successes,
        "failures": signal.failures,
        "failing": signal.failing,
        "last_success": signal.last_success.map(|at| moment(at, now)),
        "last_failure": failure,
        "last_rejection": rejection.map(|rejection| {
            json!({"items": rejection.items, "reason": rejection.reason})
        }),
        "queue": signal.queue.as_ref().map(of_queue),
    })
}

fn of_queue(queue: &QueueHealth) -> Value {
    let mut shown = json!({
        "length": queue.length,
        "capacity": queue.capacity,
        "exporting": queue.exporting,
        "exported": queue.exported,
        "lost": by_reason(&queue.lost),
    });
    if let Some(spool) = &queue.spool {
        shown["spool"] = of_spool(spool);
    }
    shown
}

fn of_spool(spool: &SpoolHealth) -> Value {
    json!({
        "items": spool.items,
        "bytes": spool.bytes,
        "files_set_aside": spool.files_set_aside,
        "files_cut_off": spool.files_cut_off,
        "write_failures": spool.write_failures,
    })
}

fn moment(at: SystemTime, now: SystemTime) -> Value {
    let ago = now.duration_since(at).unwrap_or_default();
    // Formatting panics outside of this range.
    let at = at.clamp(UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(LAST_SECOND));
    json!({
        "at": humantime::format_rfc3339_seconds(at).to_string(),
        "seconds_ago": seconds(ago),
    })
}

fn seconds(duration: Duration) -> f64 {
    duration.as_millis() as f64 / 1000.0
}

fn by_reason(counts: &[(&'static str, u64)]) -> Value {
    counts
        .iter()
        .map(|(reason, count)| ((*reason).to_owned(), json!(count)))
        .collect::<Map<_, _>>()
        .into()
}
