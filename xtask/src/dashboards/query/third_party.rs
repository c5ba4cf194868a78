//! Metrics in the dashboards that are not in the SDK's catalogue.

use rustok_telemetry::metrics::Kind;

/// A metric of the Collector or of Prometheus, or one that the Collector derives from spans and resources.
#[derive(Debug, Clone, Copy)]
pub struct ThirdParty {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The labels that the dashboards use, besides `job` and `instance`.
    pub labels: &'static [&'static str],
    /// Whether it exists only after a failure.
    pub only_after_failures: bool,
}

/// All third-party metrics. `tests/end_to_end/dashboards.rs` looks up each in a real Prometheus, or in the Collector's
/// binary if it exists only after failures.
pub const THIRD_PARTY: &[ThirdParty] = &[
    // Prometheus creates these for each target.
    gauge("up", &[]),
    gauge("scrape_duration_seconds", &[]),
    gauge("scrape_samples_scraped", &[]),
    // Prometheus' own metrics, and its alerts.
    counter("prometheus_rule_evaluation_failures_total", &["rule_group"]),
    gauge("ALERTS", &["alertname", "alertstate", "severity"]),
    // The resource of each service, created by the Collector's exporter.
    gauge("target_info", &["service_version"]),
    // The Collector's own metrics, with the suffix `_total`, as collector/config.yaml sets.
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
    // Derived from spans, and from pairs of client and server spans. `job` is the service in the former only.
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
