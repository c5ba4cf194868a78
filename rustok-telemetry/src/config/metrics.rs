//! Settings of metrics.

use std::time::Duration;

use super::{
    choice::{choice, parse_name},
    otlp::{OtlpConfig, Signal},
    prometheus::PrometheusConfig,
    rules::{Rules, timeout},
    setting::{Setting, Source},
    views::{View, visit_views},
    visitor::settings,
};

pub(super) const EXPORTER: &str = "OTEL_METRICS_EXPORTER";

settings! {
    /// Settings of metrics.
    pub struct MetricsConfig() {
        /// Where metrics are exported. The Prometheus text is a route of the service in any case.
        exporters: Setting<Vec<MetricsExporter>> = setting("exporters", [EXPORTER], vec![MetricsExporter::Otlp]),
        /// Time between the starts of two exports.
        interval: Setting<Duration> = setting("interval", ["OTEL_METRIC_EXPORT_INTERVAL"], Duration::from_secs(60)),
        /// Maximum duration of one export. `None`: no limit.
        timeout: Setting<Option<Duration>> =
            setting("timeout", ["OTEL_METRIC_EXPORT_TIMEOUT"], Some(Duration::from_secs(30)), timeout()),
        /// The temporality of what OTLP sends.
        temporality: Setting<TemporalityPreference> = setting(
            "temporality", ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"], TemporalityPreference::Cumulative
        ),
        /// How histograms are aggregated: `explicit_bucket_histogram`, into the buckets that each metric declares.
        histograms: Setting<&'static str> = setting(
            "histograms", ["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"], "explicit_bucket_histogram",
            named(&["explicit_bucket_histogram"], &[(
                "base2_exponential_bucket_histogram", "the Prometheus text would lose such histograms"
            )])
        ),
        /// Which measurements may become exemplars: `always_off`, or `trace_based` for those within sampled spans. The
        /// SDK records none: a Collector makes them from sampled spans.
        exemplars: Setting<&'static str> = setting(
            "exemplars", ["OTEL_METRICS_EXEMPLAR_FILTER"], "always_off",
            named(&["always_off", "trace_based"], &[(
                "always_on",
                "no exemplars are recorded; a Collector makes them from sampled spans, so use `trace_based`"
            )])
        ),
        /// A listener for the Prometheus text, if the exporter `prometheus` is chosen.
        prometheus: PrometheusConfig = by("prometheus", PrometheusConfig::visit),
        /// Overrides for some metrics. No variable sets them, only a configuration file or code.
        views: Setting<Vec<View>> = by("", visit_views),
        /// How OTLP sends metrics.
        otlp: OtlpConfig = by("otlp", OtlpConfig::visit, Signal::Metrics),
    }
}

impl MetricsConfig {
    /// Returns the host and port of the listener for the Prometheus text, if there is one: the exporter `prometheus`
    /// is chosen, and a host or a port was set.
    pub fn prometheus_address(&self) -> Option<(&str, u16)> {
        let chosen = self.exporters.value.contains(&MetricsExporter::Prometheus);
        let PrometheusConfig { host, port } = &self.prometheus;
        let set = host.source != Source::Default || port.source != Source::Default;
        (chosen && set).then_some((host.value.as_str(), port.value))
    }
}

/// Returns the rules of a name that changes nothing here, but whose other values are refused.
fn named(
    accepted: &'static [&'static str],
    refused: &'static [(&'static str, &'static str)],
) -> Rules<'static, &'static str> {
    let parse =
        move |text: &str| parse_name(text, accepted.iter().map(|name| (*name, *name)), refused);
    Rules::of(parse, |name| (*name).to_owned())
}

/// Where metrics are exported, besides the Prometheus text that is a route of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricsExporter {
    /// By OTLP.
    Otlp,
    /// Nowhere: Prometheus scrapes the text. `OTEL_EXPORTER_PROMETHEUS_HOST` or `…_PORT` adds a listener for it.
    Prometheus,
    /// Standard output, one line of JSON for each metric at each interval. For development.
    Console,
}

choice!(MetricsExporter {
    accepted { "otlp" => Otlp, "prometheus" => Prometheus, "console" => Console }
    refused { "logging" => "its name is `console`", "otlp/stdout" => "use `console`" }
});

/// The temporality of what OTLP sends. The Prometheus text is cumulative in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemporalityPreference {
    /// Cumulative.
    Cumulative,
    /// Delta; cumulative for up-down counters.
    Delta,
    /// Delta where that saves memory.
    LowMemory,
}

choice!(TemporalityPreference {
    accepted { "cumulative" => Cumulative, "delta" => Delta, "lowmemory" => LowMemory }
    refused {}
});
