//! The Collector's own metrics.

use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Expr, Range, Scope};

const SCOPE: Scope = Scope::all();

pub(super) fn panels() -> [Panel; 6] {
    [
        Panel::new(
            8,
            "Accepted by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Spans, metric points and log records received from services. If this is empty although services run, \
             look at their exports above.",
        )
        .query("spans {{receiver}} {{job}}", received(ACCEPTED_SPANS))
        .query("metric points {{receiver}} {{job}}", received(ACCEPTED_POINTS))
        .query("log records {{receiver}} {{job}}", received(ACCEPTED_RECORDS)),
        Panel::new(
            9,
            "Refused by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Data that the Collector refuses because its memory limit is reached or its queue is full; senders retry. \
             Give it more memory, or see below why its exports fail.",
        )
        .query(
            "spans {{receiver}} {{job}}",
            received("otelcol_receiver_refused_spans_total"),
        )
        .query(
            "metric points {{receiver}} {{job}}",
            received("otelcol_receiver_refused_metric_points_total"),
        )
        .query(
            "log records {{receiver}} {{job}}",
            received("otelcol_receiver_refused_log_records_total"),
        )
        .watched_by("CollectorRefusingData"),
        Panel::new(
            10,
            "Exported by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Spans sent to Jaeger, metric points exposed to Prometheus, log records written. If less is exported than \
             accepted, a backend is down or slow, and data waits in the queue.",
        )
        .query("spans {{exporter}} {{job}}", exported(SENT_SPANS))
        .query("metric points {{exporter}} {{job}}", exported(SENT_POINTS))
        .query("log records {{exporter}} {{job}}", exported(SENT_RECORDS)),
        Panel::new(
            11,
            "Dropped by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Not sent: the backend rejected the data, or all attempts failed. Not queued: the queue was full. Both are \
             dropped. Read the Collector's log, and check whether Jaeger is ready.",
        )
        .query(
            "spans not sent {{exporter}} {{job}}",
            dropped("otelcol_exporter_send_failed_spans_total", SENT_SPANS),
        )
        .query(
            "metric points not sent {{exporter}} {{job}}",
            dropped(
                "otelcol_exporter_send_failed_metric_points_total",
                SENT_POINTS,
            ),
        )
        .query(
            "log records not sent {{exporter}} {{job}}",
            dropped("otelcol_exporter_send_failed_log_records_total", SENT_RECORDS),
        )
        .query(
            "spans not queued {{exporter}} {{job}}",
            dropped("otelcol_exporter_enqueue_failed_spans_total", SENT_SPANS),
        )
        .watched_by("CollectorExportFailing")
        .watched_by("CollectorEnqueueFailing"),
        Panel::new(
            12,
            "Collector queue in use",
            Look::TimeSeries,
            Unit::Share,
            "Fill level of each exporter's queue. The queue fills while Jaeger is down, and a full queue drops new \
             data: restart Jaeger before it reaches 100 %.",
        )
        .query("{{exporter}} {{instance}}", queue_in_use())
        .watched_by("CollectorQueueFilling"),
        Panel::new(
            13,
            "Collector memory",
            Look::TimeSeries,
            Unit::Bytes,
            "Memory of the Collector's process. The line is at 80 % of the default of COLLECTOR_MEMORY_LIMIT_MIB. At \
             the limit, the Collector refuses data: raise the limit, or run another Collector.",
        )
        .query(
            "{{job}} {{instance}}",
            SCOPE
                .gauge("otelcol_process_memory_rss_bytes")
                .value()
                .max_by(["job", "instance"]),
        )
        .watched_by("CollectorMemoryHigh"),
    ]
    .map(|panel| panel.traces(Traces::None))
}

const ACCEPTED_SPANS: &str = "otelcol_receiver_accepted_spans_total";
const ACCEPTED_POINTS: &str = "otelcol_receiver_accepted_metric_points_total";
const ACCEPTED_RECORDS: &str = "otelcol_receiver_accepted_log_records_total";
const SENT_SPANS: &str = "otelcol_exporter_sent_spans_total";
const SENT_POINTS: &str = "otelcol_exporter_sent_metric_points_total";
const SENT_RECORDS: &str = "otelcol_exporter_sent_log_records_total";

fn received(counter: &str) -> Expr {
    let rate = SCOPE.counter(counter).rate(Range::Rate);
    rate.sum_by(["job", "receiver"])
}

fn exported(counter: &str) -> Expr {
    let rate = SCOPE.counter(counter).rate(Range::Rate);
    rate.sum_by(["job", "exporter"])
}

/// A rate of dropped data. The Collector creates these counters with the first failure; until then the rate is zero for
/// each exporter that has sent data.
fn dropped(counter: &str, sent: &str) -> Expr {
    exported(counter).or_zero_of(exported(sent))
}

fn queue_in_use() -> Expr {
    const LABELS: [&str; 3] = ["job", "instance", "exporter"];
    let gauge = |name| SCOPE.gauge(name).value().max_by(LABELS);
    gauge("otelcol_exporter_queue_size").share_of(gauge("otelcol_exporter_queue_capacity"))
}
