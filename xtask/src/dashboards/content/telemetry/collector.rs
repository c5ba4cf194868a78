//! What the Collector counts about itself.

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
            "Spans, metric points and log records that applications handed over. Nothing although applications run: \
             see their exports above.",
        )
        .query("spans {{receiver}} {{job}}", received(ACCEPTED_SPANS))
        .query("metric points {{receiver}} {{job}}", received(ACCEPTED_POINTS))
        .query("log records {{receiver}} {{job}}", received(ACCEPTED_RECORDS)),
        Panel::new(
            9,
            "Refused by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Refused because the Collector is short of memory or its queue is full; senders come back later. Give it \
             more memory, or see below why it cannot hand on.",
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
            "Handed on by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Spans sent to Jaeger, metric points offered to Prometheus, log records written. Accepted but not handed \
             on: what is behind the exporter is away or slow, and they wait in the queue.",
        )
        .query("spans {{exporter}} {{job}}", exported(SENT_SPANS))
        .query("metric points {{exporter}} {{job}}", exported(SENT_POINTS))
        .query("log records {{exporter}} {{job}}", exported(SENT_RECORDS)),
        Panel::new(
            11,
            "Lost by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Not sent: refused for good, or all attempts failed. Not queued: the queue was full. Both are lost. See \
             the Collector's log, and whether Jaeger is ready.",
        )
        .query(
            "spans not sent {{exporter}} {{job}}",
            lost("otelcol_exporter_send_failed_spans_total", SENT_SPANS),
        )
        .query(
            "metric points not sent {{exporter}} {{job}}",
            lost(
                "otelcol_exporter_send_failed_metric_points_total",
                SENT_POINTS,
            ),
        )
        .query(
            "log records not sent {{exporter}} {{job}}",
            lost("otelcol_exporter_send_failed_log_records_total", SENT_RECORDS),
        )
        .query(
            "spans not queued {{exporter}} {{job}}",
            lost("otelcol_exporter_enqueue_failed_spans_total", SENT_SPANS),
        )
        .watched_by("CollectorExportFailing")
        .watched_by("CollectorEnqueueFailing"),
        Panel::new(
            12,
            "Collector queue in use",
            Look::TimeSeries,
            Unit::Share,
            "How full the queue in front of each exporter is. It fills while Jaeger is away, and what does not fit is \
             lost: bring Jaeger back before it reaches 100 %.",
        )
        .query("{{exporter}} {{instance}}", queue_in_use())
        .watched_by("CollectorQueueFilling"),
        Panel::new(
            13,
            "Collector memory",
            Look::TimeSeries,
            Unit::Bytes,
            "Memory of the Collector's process. The line is at 80 % of the limit that it has unless \
             COLLECTOR_MEMORY_LIMIT_MIB says otherwise; at the limit it refuses what comes in. Raise it, or run \
             another one.",
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

/// The Collector makes these counters when something fails for the first time: until then nothing was lost of what it
/// sent.
fn lost(counter: &str, sent: &str) -> Expr {
    exported(counter).or_zero_of(exported(sent))
}

fn queue_in_use() -> Expr {
    const LABELS: [&str; 3] = ["job", "instance", "exporter"];
    let gauge = |name| SCOPE.gauge(name).value().max_by(LABELS);
    gauge("otelcol_exporter_queue_size").share_of(gauge("otelcol_exporter_queue_capacity"))
}
