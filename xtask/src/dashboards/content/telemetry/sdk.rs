//! What the SDK in each application counts about itself.

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
            "Attempts to hand metrics, traces and logs to the Collector. Failures: see whether the Collector runs and can \
             be reached from the application; its log says why, once.",
        )
        .query(
            "{{signal}} {{result}} {{job}}",
            rate(EXPORTS).sum_by(["job", "signal", "result"]),
        )
        // The alert is on failures alone.
        .leads_to("TelemetryExportFailing"),
        Panel::new(
            2,
            "Spans and log records lost by reason",
            Look::TimeSeries,
            Unit::PerSecond,
            "What never reached the Collector. `queue_full`: more than can be sent, so raise OTEL_BSP_MAX_QUEUE_SIZE \
             or OTEL_BLRP_MAX_QUEUE_SIZE, or sample fewer. `export_failed`: the Collector was away for too long.",
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
            "How full the queues in front of the exports are, in each instance. Near 100 % spans and log records get \
             lost: see whether exports are slow or fail.",
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
            "The ten labels with the most records whose value became `other` over the time that is shown, because the \
             label's budget was spent. Find out who makes so many values; raise the budget only if they are wanted.",
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
            "Records lost by reason",
            Look::TimeSeries,
            Unit::PerSecond,
            "Records that went nowhere. `before_init`: telemetry has to start first. `after_shutdown`: it has to stop \
             last. `not_finite`, `negative`: the code that records has a bug.",
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
            "Panics of metric callbacks; their values are missing from that collection. A bug of the \
             function: the panic's message is on the application's standard error.",
        )
        .query(
            "{{job}}",
            rate("rustok_telemetry_observation_panics_total").sum_by(["job"]),
        )
        .watched_by("TelemetryObservationPanics"),
        Panel::new(
            7,
            "Observations left out",
            Look::BarGauge,
            Unit::Count,
            "The ten metrics with the most observed label sets that were left out over the time that is shown, because \
             the metric's limit was reached. Observe fewer, or give the metric a greater `series`.",
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

/// How full a queue is; absent where nothing of its kind is exported, which is a capacity of zero.
fn in_use(length: &str, capacity: &str) -> Expr {
    const LABELS: [&str; 2] = ["job", "instance"];
    let gauge = |name| APPLICATIONS.gauge(name).value().max_by(LABELS);
    gauge(length).share_of(gauge(capacity))
}
