//! Metrics that the dashboards use and that others declare.

use rustok_telemetry::metrics::Kind;

/// A metric of the Collector, of Prometheus, of what the Collector makes of spans, or of OpenTelemetry's mapping to Prometheus.
#[derive(Debug, Clone, Copy)]
pub struct ThirdParty {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The labels that are used of it, besides `job` and `instance`.
    pub labels: &'static [&'static str],
    /// Whether it is there only once something has failed.
    pub only_after_failures: bool,
}

/// All of them. `tests/end_to_end/dashboards.rs` sees each in a real Prometheus, or in the Collector's program if it is
/// there only after failures.
pub const THIRD_PARTY: &[ThirdParty] = &[
    // Prometheus makes these for each target that it scrapes.
    gauge("up", &[]),
    gauge("scrape_duration_seconds", &[]),
    gauge("scrape_samples_scraped", &[]),
    // Its own, and the alerts that it evaluates.
    counter("prometheus_rule_evaluation_failures_total", &["rule_group"]),
    gauge("ALERTS", &["alertname", "alertstate", "severity"]),
    // The resource of each application, made by the Collector's exporter.
    gauge("target_info", &["service_version"]),
    // The Collector's own; with the suffix `_total`, as collector/config.yaml asks for.
    counter("otelcol_receiver_accepted_spans_total", RECEIVER),
    counter("otelcol_receiver_accepted_metric_points_total", RECEIVER),
    counter("otelcol_receiver_accepted_log_records_total", RECEIVER),
    counter("otelcol_receiver_refused_spans_total", RECEIVER),
    counter("otelcol_receiver_refused_metric_points_total", RECEIVER),
    counter("otelcol_receiver_refused_log_records_total", RECEIVER),
    counter("otelcol_exporter_sent_spans_total", EXPORTER),
    counter("otelcol_exporter_sent_metric_points_total", EXPORTER),
    counter("otelcol_exporter_sent_log_records_total", EXPORTER),
    after_failures("otelcol_exporter_send_failed_spans_total", EXPORTER),
    after_failures("otelcol_exporter_send_failed_metric_points_total", EXPORTER),
    after_failures("otelcol_exporter_send_failed_log_records_total", EXPORTER),
    after_failures("otelcol_exporter_enqueue_failed_spans_total", EXPORTER),
    gauge("otelcol_exporter_queue_size", EXPORTER),
    gauge("otelcol_exporter_queue_capacity", EXPORTER),
    gauge("otelcol_process_memory_rss_bytes", &[]),
    // What it makes of spans: of each kind of span, and of pairs of client and server spans. `job` is that of the spans
    // in the former, and of no service in the latter.
    counter("traces_span_metrics_calls", SPAN),
    histogram("traces_span_metrics_duration", SPAN),
    counter("traces_service_graph_request_total", CALL),
    counter("traces_service_graph_request_failed_total", CALL),
    histogram("traces_service_graph_request_client", CALL),
];

const RECEIVER: &[&str] = &["receiver"];
const EXPORTER: &[&str] = &["exporter"];
const SPAN: &[&str] = &["span_name", "span_kind", "status_code"];
const CALL: &[&str] = &["client", "server"];

const fn gauge(name: &'static str, labels: &'static [&'static str]) -> ThirdParty {
    ThirdParty {
        name,
        kind: Kind::Gauge,
        labels,
        only_after_failures: false,
    }
}

const fn counter(name: &'static str, labels: &'static [&'static str]) -> ThirdParty {
    ThirdParty {
        kind: Kind::Counter,
        ..gauge(name, labels)
    }
}

const fn histogram(name: &'static str, labels: &'static [&'static str]) -> ThirdParty {
    ThirdParty {
        kind: Kind::Histogram,
        ..gauge(name, labels)
    }
}

const fn after_failures(name: &'static str, labels: &'static [&'static str]) -> ThirdParty {
    ThirdParty {
        only_after_failures: true,
        ..counter(name, labels)
    }
}
