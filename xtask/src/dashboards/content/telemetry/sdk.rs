//! The SDK's metrics about itself, from each service.

use super::{APPLICATIONS, EXPORTS};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Expr, Range};

pub(super) fn panels() -> [Panel; 7] {
    [
        Panel::new(
            1,
            "Exports by result",
            Look::TimeSeries,
            Unit::PerSecond,
            "Exports of metrics, traces and logs to the Collector, per second. On failures, check whether the Collector \
             runs and can be reached from the service. The service logs the reason of the first failure.",
        )
        .query(
            "{{signal}} {{result}} {{job}}",
            rate(EXPORTS).sum_by(["job", "signal", "result"]),
        )
        .colours(&[(" success ", "green"), (" failure ", "red")])
        // The alert covers only failures.
        .leads_to("TelemetryExportFailing"),
        Panel::new(
            2,
            "Dropped spans and log records by reason",
            Look::TimeSeries,
            Unit::PerSecond,
            "Data that did not reach the Collector. `queue_full`: the Collector was away for too long, or there is more \
             data than it takes, so raise OTEL_BSP_MAX_QUEUE_SIZE or OTEL_BLRP_MAX_QUEUE_SIZE, or sample fewer \
             traces. `export_failed`: the Collector refused it. `rejected`: it accepted the request without these items.",
        )
        .query(
            "spans {{reason}} {{job}}",
            rate("rustok_telemetry_spans_lost_total").sum_by(["job", "reason"]),
        )
        .query(
            "log records {{reason}} {{job}}",
            rate("rustok_telemetry_log_records_lost_total").sum_by(["job", "reason"]),
        )
        .watched_by("TelemetryDataLost"),
        Panel::new(
            3,
            "Queues in use",
            Look::TimeSeries,
            Unit::Share,
            "Fill level of the export queues in each instance. A full queue drops spans and log records: check \
             whether exports are slow or fail.",
        )
        .query(
            "spans {{job}} {{instance}}",
            in_use(
                "rustok_telemetry_span_queue_length",
                "rustok_telemetry_span_queue_capacity",
            ),
        )
        .query(
            "log records {{job}} {{instance}}",
            in_use(
                "rustok_telemetry_log_record_queue_length",
                "rustok_telemetry_log_record_queue_capacity",
            ),
        )
        .watched_by("TelemetryQueueFilling"),
        Panel::new(
            4,
            "Label values folded by metric",
            Look::BarGauge,
            Unit::Count,
            "The ten labels with the most values folded to `other` in the selected time range, because the label's \
             budget was exhausted. Find the code that records so many values. Raise the budget only if you need them.",
        )
        .query(
            "{{metric}} {{label}} {{job}}",
            APPLICATIONS
                .counter("rustok_telemetry_label_values_folded_total")
                .increase(Range::Shown)
                .sum_by(["job", "metric", "label"])
                .top(10),
        )
        .watched_by("TelemetryLabelsFolded"),
        Panel::new(
            5,
            "Dropped records by reason",
            Look::TimeSeries,
            Unit::PerSecond,
            "Dropped records of metrics. `before_init`: start telemetry earlier. `after_shutdown`: shut it down later. \
             `not_finite`, `negative`: the recorded value is invalid, a bug in the service.",
        )
        .query(
            "{{reason}} {{job}}",
            rate("rustok_telemetry_records_lost_total").sum_by(["job", "reason"]),
        )
        .watched_by("TelemetryRecordsLost"),
        Panel::new(
            6,
            "Observation panics",
            Look::TimeSeries,
            Unit::PerSecond,
            "Panics in metric callbacks, whose values are missing from that collection. They are bugs of the callbacks: \
             the service writes the panic message to standard error.",
        )
        .query(
            "{{job}}",
            rate("rustok_telemetry_observation_panics_total").sum_by(["job"]),
        )
        .watched_by("TelemetryObservationPanics"),
        Panel::new(
            7,
            "Dropped observations by metric",
            Look::BarGauge,
            Unit::Count,
            "The ten metrics with the most dropped observations in the selected time range, because the metric's limit \
             of series was reached. Observe fewer label sets, or raise the metric's `series`.",
        )
        .query(
            "{{metric}} {{job}}",
            APPLICATIONS
                .counter("rustok_telemetry_observations_dropped_total")
                .increase(Range::Shown)
                .sum_by(["job", "metric"])
                .top(10),
        )
        .watched_by("TelemetryObservationsDropped"),
    ]
    .map(|panel| panel.traces(Traces::None))
}

fn rate(counter: &str) -> Expr {
    APPLICATIONS.counter(counter).rate(Range::Rate)
}

/// Fill level of a queue; absent if the signal is not exported, because its capacity is zero.
fn in_use(length: &str, capacity: &str) -> Expr {
    const LABELS: [&str; 2] = ["job", "instance"];
    let gauge = |name| APPLICATIONS.gauge(name).value().max_by(LABELS);
    gauge(length).share_of(gauge(capacity))
}
