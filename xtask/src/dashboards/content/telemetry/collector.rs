//! What the Collector counts about itself.

use super::sdk::NONE_IS_GOOD;
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
            "Spans and metric points that applications handed over. Nothing although applications run: see their \
             exports above.",
        )
        .query(
            "spans {{receiver}}",
            received("otelcol_receiver_accepted_spans_total"),
        )
        .query(
            "metric points {{receiver}}",
            received("otelcol_receiver_accepted_metric_points_total"),
        ),
        Panel::new(
            9,
            "Refused by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Refused: the Collector is short of memory or its queue is full, and senders come back later. Failed: \
             what was sent could not be worked on. Give it more memory, or see below why it cannot hand on.",
        )
        .query(
            "refused spans {{receiver}}",
            received("otelcol_receiver_refused_spans_total"),
        )
        .query(
            "refused metric points {{receiver}}",
            received("otelcol_receiver_refused_metric_points_total"),
        )
        .query(
            "failed spans {{receiver}}",
            received("otelcol_receiver_failed_spans_total"),
        )
        .query(
            "failed metric points {{receiver}}",
            received("otelcol_receiver_failed_metric_points_total"),
        )
        .steps(&NONE_IS_GOOD),
        Panel::new(
            10,
            "Handed on by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Spans sent to Jaeger, and metric points offered to Prometheus. Spans accepted but not handed on: Jaeger \
             is away or slow, and they wait in the queue.",
        )
        .query("spans {{exporter}}", exported(SENT_SPANS))
        .query("metric points {{exporter}}", exported(SENT_POINTS)),
        Panel::new(
            11,
            "Lost by the Collector",
            Look::TimeSeries,
            Unit::PerSecond,
            "Not sent: the receiver refused it for good, or all attempts failed. Not queued: the queue was full. Both \
             are lost. See the Collector's log, and whether Jaeger is ready.",
        )
        .query(
            "spans not sent {{exporter}}",
            exported("otelcol_exporter_send_failed_spans_total").or_zero_of(exported(SENT_SPANS)),
        )
        .query(
            "metric points not sent {{exporter}}",
            exported("otelcol_exporter_send_failed_metric_points_total")
                .or_zero_of(exported(SENT_POINTS)),
        )
        .query(
            "spans not queued {{exporter}}",
            exported("otelcol_exporter_enqueue_failed_spans_total")
                .or_zero_of(exported(SENT_SPANS)),
        )
        .steps(&NONE_IS_GOOD),
        Panel::new(
            12,
            "Collector queue in use",
            Look::TimeSeries,
            Unit::Share,
            "How full the queue in front of each exporter is. It fills while Jaeger is away, and what does not fit is \
             lost: bring Jaeger back before it reaches 100 %.",
        )
        .query("{{exporter}} {{instance}}", queue_in_use())
        .steps(&[(None, "green"), (Some(0.7), "yellow"), (Some(0.9), "red")]),
        Panel::new(
            13,
            "Collector memory",
            Look::TimeSeries,
            Unit::Bytes,
            "Memory of the Collector's process. Past the limit that it is given (COLLECTOR_MEMORY_LIMIT_MIB) it \
             refuses what comes in: raise the limit, or run another one.",
        )
        .query(
            "{{instance}}",
            SCOPE
                .gauge("otelcol_process_memory_rss_bytes")
                .value()
                .max_by(["job", "instance"]),
        ),
    ]
    .map(|panel| panel.traces(Traces::None))
}

const SENT_SPANS: &str = "otelcol_exporter_sent_spans_total";
const SENT_POINTS: &str = "otelcol_exporter_sent_metric_points_total";

fn received(counter: &str) -> Expr {
    let rate = SCOPE.counter(counter).rate(Range::Rate);
    rate.sum_by(["job", "receiver"])
}

fn exported(counter: &str) -> Expr {
    let rate = SCOPE.counter(counter).rate(Range::Rate);
    rate.sum_by(["job", "exporter"])
}

fn queue_in_use() -> Expr {
    const LABELS: [&str; 3] = ["job", "instance", "exporter"];
    let gauge = |name| SCOPE.gauge(name).value().max_by(LABELS);
    gauge("otelcol_exporter_queue_size").share_of(gauge("otelcol_exporter_queue_capacity"))
}
