//! Our own alerts: on the service level objectives, on what is lost or refused on the way, and on what is down.

use super::{Alert, Fires, Severity};

/// How many times as fast as allowed an error budget goes when it becomes alarming, by the SRE workbook: 2 % of the
/// budget of 30 days in an hour, 5 % in six hours, 10 % in a day, and all of it at the end.
pub const BURN_RATES: [f64; 4] = [14.4, 6.0, 3.0, 1.0];

/// The availability budget goes so fast that somebody has to look now.
pub const AVAILABILITY_FAST_BURN: Alert =
    warning("HttpAvailabilityFastBurn", BURN_RATES[0]).critical();
/// The availability budget will not last.
pub const AVAILABILITY_SLOW_BURN: Alert = warning("HttpAvailabilitySlowBurn", BURN_RATES[3]);
/// The latency budget goes so fast that somebody has to look now.
pub const LATENCY_FAST_BURN: Alert = warning("HttpLatencyFastBurn", BURN_RATES[0]).critical();
/// The latency budget will not last.
pub const LATENCY_SLOW_BURN: Alert = warning("HttpLatencySlowBurn", BURN_RATES[3]);

/// An application cannot hand its telemetry over.
pub const EXPORT_FAILING: Alert = warning("TelemetryExportFailing", 0.0);
/// Spans or log records were lost in an application.
pub const DATA_LOST: Alert = warning("TelemetryDataLost", 0.0);
/// A queue in an application fills up.
pub const QUEUE_FILLING: Alert = warning("TelemetryQueueFilling", 0.8);
/// Labels have more values than their budgets.
pub const LABELS_FOLDED: Alert = warning("TelemetryLabelsFolded", 0.0);
/// Records went nowhere.
pub const RECORDS_LOST: Alert = warning("TelemetryRecordsLost", 0.0);
/// Functions that observe a metric panic.
pub const OBSERVATION_PANICS: Alert = warning("TelemetryObservationPanics", 0.0);
/// Observed label sets were left out.
pub const OBSERVATIONS_DROPPED: Alert = warning("TelemetryObservationsDropped", 0.0);

/// The Collector turns senders away.
pub const COLLECTOR_REFUSING: Alert = warning("CollectorRefusingData", 0.0);
/// The Collector gives up handing on.
pub const COLLECTOR_EXPORT_FAILING: Alert = warning("CollectorExportFailing", 0.0);
/// The Collector's queue takes no more.
pub const COLLECTOR_ENQUEUE_FAILING: Alert = warning("CollectorEnqueueFailing", 0.0).critical();
/// The Collector's queue fills up.
pub const COLLECTOR_QUEUE_FILLING: Alert = warning("CollectorQueueFilling", 0.5);
/// The Collector nears its memory limit: 80 % of the default of COLLECTOR_MEMORY_LIMIT_MIB.
pub const COLLECTOR_MEMORY_HIGH: Alert =
    warning("CollectorMemoryHigh", 0.8 * 512.0 * 1024.0 * 1024.0);

/// A service does not answer.
pub const SERVICE_DOWN: Alert = down("ServiceDown");
/// The Collector does not answer.
pub const COLLECTOR_DOWN: Alert = down("CollectorDown");
/// Another target does not answer.
pub const TARGET_DOWN: Alert = down("TargetDown");

/// All of ours.
pub const OURS: [Alert; 19] = [
    AVAILABILITY_FAST_BURN,
    AVAILABILITY_SLOW_BURN,
    LATENCY_FAST_BURN,
    LATENCY_SLOW_BURN,
    EXPORT_FAILING,
    DATA_LOST,
    QUEUE_FILLING,
    LABELS_FOLDED,
    RECORDS_LOST,
    OBSERVATION_PANICS,
    OBSERVATIONS_DROPPED,
    COLLECTOR_REFUSING,
    COLLECTOR_EXPORT_FAILING,
    COLLECTOR_ENQUEUE_FAILING,
    COLLECTOR_QUEUE_FILLING,
    COLLECTOR_MEMORY_HIGH,
    SERVICE_DOWN,
    COLLECTOR_DOWN,
    TARGET_DOWN,
];

const fn warning(name: &'static str, above: f64) -> Alert {
    Alert {
        name,
        fires: Fires::Above(above),
        severity: Severity::Warning,
    }
}

const fn down(name: &'static str) -> Alert {
    Alert {
        name,
        fires: Fires::At(0.0),
        severity: Severity::Critical,
    }
}

impl Alert {
    const fn critical(mut self) -> Self {
        self.severity = Severity::Critical;
        self
    }
}
