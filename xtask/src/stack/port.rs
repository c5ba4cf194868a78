//! The ports of the stack: default number, purpose, and the environment variable that sets the port.
//!
//! The configurations of the Collector and of Jaeger read the same variables.

use serde::{Deserialize, Serialize};

/// A port of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Port {
    /// Collector: OTLP over gRPC.
    CollectorOtlpGrpc,
    /// Collector: OTLP over HTTP.
    CollectorOtlpHttp,
    /// Collector: metrics of services, scraped by Prometheus.
    CollectorPrometheus,
    /// Collector: metrics derived from spans, scraped by Prometheus.
    CollectorSpanMetrics,
    /// Collector: its own metrics.
    CollectorSelfMetrics,
    /// Collector: health.
    CollectorHealth,
    /// Jaeger: OTLP over gRPC, from the Collector.
    JaegerOtlpGrpc,
    /// Jaeger: query API over HTTP, and web UI.
    JaegerQuery,
    /// Jaeger: query API over gRPC.
    JaegerQueryGrpc,
    /// Jaeger: health.
    JaegerHealth,
    /// Jaeger: its own metrics.
    JaegerSelfMetrics,
    /// Prometheus: API and web UI.
    Prometheus,
    /// VictoriaMetrics: web page vmui, API, and remote write from the Collector.
    VictoriaMetrics,
    /// The service that Prometheus scrapes for `up`. The stack itself does not listen on it.
    Application,
}

impl Port {
    /// All ports, in the order of the programs.
    pub const ALL: [Self; 14] = [
        Self::CollectorOtlpGrpc,
        Self::CollectorOtlpHttp,
        Self::CollectorPrometheus,
        Self::CollectorSpanMetrics,
        Self::CollectorSelfMetrics,
        Self::CollectorHealth,
        Self::JaegerOtlpGrpc,
        Self::JaegerQuery,
        Self::JaegerQueryGrpc,
        Self::JaegerHealth,
        Self::JaegerSelfMetrics,
        Self::Prometheus,
        Self::VictoriaMetrics,
        Self::Application,
    ];

    /// Returns the environment variable that sets this port.
    pub fn variable(self) -> &'static str {
        self.facts().0
    }

    /// Returns the default number.
    pub fn default_number(self) -> u16 {
        self.facts().1
    }

    /// Returns the purpose of the port.
    pub fn purpose(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::CollectorOtlpGrpc => (
                "COLLECTOR_OTLP_GRPC_PORT",
                4317,
                "Collector, OTLP over gRPC",
            ),
            Self::CollectorOtlpHttp => (
                "COLLECTOR_OTLP_HTTP_PORT",
                4318,
                "Collector, OTLP over HTTP",
            ),
            Self::CollectorPrometheus => (
                "COLLECTOR_PROMETHEUS_PORT",
                8889,
                "Collector, metrics of applications for Prometheus",
            ),
            Self::CollectorSpanMetrics => (
                "COLLECTOR_SPAN_METRICS_PORT",
                8890,
                "Collector, metrics of spans for Prometheus",
            ),
            Self::CollectorSelfMetrics => (
                "COLLECTOR_SELF_METRICS_PORT",
                8888,
                "Collector, own metrics",
            ),
            Self::CollectorHealth => ("COLLECTOR_HEALTH_PORT", 13133, "Collector, health"),
            Self::JaegerOtlpGrpc => (
                "JAEGER_OTLP_GRPC_PORT",
                14317,
                "Jaeger, traces from the Collector",
            ),
            Self::JaegerQuery => ("JAEGER_QUERY_PORT", 16686, "Jaeger, query API and web UI"),
            Self::JaegerQueryGrpc => (
                "JAEGER_QUERY_GRPC_PORT",
                16685,
                "Jaeger, query API over gRPC",
            ),
            Self::JaegerHealth => ("JAEGER_HEALTH_PORT", 13134, "Jaeger, health"),
            Self::JaegerSelfMetrics => ("JAEGER_SELF_METRICS_PORT", 8887, "Jaeger, own metrics"),
            Self::Prometheus => ("PROMETHEUS_PORT", 9090, "Prometheus, API and web UI"),
            Self::VictoriaMetrics => (
                "VICTORIA_METRICS_PORT",
                8428,
                "VictoriaMetrics, API and web UI",
            ),
            Self::Application => ("RUSTOK_SERVER_PORT", 5150, "the application"),
        }
    }
}
