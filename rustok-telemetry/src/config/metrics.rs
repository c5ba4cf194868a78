//! Settings of metrics.

use std::time::Duration;

use super::{
    OtlpConfig, Reader, Rules, Setting, Signal, Source, View, choice, choice::parse_name, settings,
    timeout, views::visit_views,
};

const EXPORTER: &str = "OTEL_METRICS_EXPORTER";
const PROMETHEUS_HOST: &str = "OTEL_EXPORTER_PROMETHEUS_HOST";
const PROMETHEUS_PORT: &str = "OTEL_EXPORTER_PROMETHEUS_PORT";

settings! {
    /// Settings of metrics.
    pub struct MetricsConfig() {
        /// The exporters. The service's route for the Prometheus text is independent of them.
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
            named(
                &[("explicit_bucket_histogram", "explicit_bucket_histogram")],
                &[("base2_exponential_bucket_histogram", "the Prometheus text would lose such histograms")]
            )
        ),
        /// Which values of counters and histograms become exemplars.
        exemplars: Setting<ExemplarFilter> =
            setting("exemplars", ["OTEL_METRICS_EXEMPLAR_FILTER"], ExemplarFilter::TraceBased),
        /// A listener for the Prometheus text, used with the exporter `prometheus`.
        prometheus: PrometheusConfig = by("prometheus", PrometheusConfig::visit),
        /// Overrides for some metrics. No variable sets them, only a configuration file or code.
        views: Setting<Vec<View>> = by("", visit_views),
        /// How OTLP sends metrics.
        otlp: OtlpConfig = by("otlp", OtlpConfig::visit, Signal::Metrics),
    }
}

settings! {
    /// A listener for the Prometheus text, at `/metrics`.
    ///
    /// It needs the exporter `prometheus`, and a host or a port that is set. By default nothing listens, unlike in the
    /// specification: the service already serves the text on its own port, and two replicas on one machine could not
    /// both listen on the default port.
    #[derive(Eq)]
    pub struct PrometheusConfig() {
        /// The host to listen on.
        host: Setting<String> = setting("host", [PROMETHEUS_HOST], "localhost".to_owned()),
        /// The port to listen on; 0 for any free one.
        port: Setting<u16> = setting("port", [PROMETHEUS_PORT], 9464),
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

/// Refuses host and port of the listener without the exporter `prometheus`.
pub(super) fn refuse_prometheus(reader: &mut Reader, exporters: &[MetricsExporter]) {
    if !exporters.contains(&MetricsExporter::Prometheus) && !reader.has_failed(EXPORTER) {
        for name in [PROMETHEUS_HOST, PROMETHEUS_PORT] {
            let why = "takes no effect without `prometheus` in OTEL_METRICS_EXPORTER";
            reader.refuse(name, why);
        }
    }
}

/// Returns the rules of a setting without effect, which exists to refuse the unsupported names.
fn named(
    accepted: &'static [(&'static str, &'static str)],
    refused: &'static [(&'static str, &'static str)],
) -> Rules<'static, &'static str> {
    let parse = move |text: &str| parse_name(text, accepted, refused);
    Rules::of(parse, |name| (*name).to_owned())
}

choice! {
    /// Where metrics are exported, besides the Prometheus text that is a route of the service.
    pub enum MetricsExporter {
        /// By OTLP.
        "otlp" => Otlp,
        /// None: Prometheus scrapes the text. `OTEL_EXPORTER_PROMETHEUS_HOST` or `…_PORT` adds a listener for it.
        "prometheus" => Prometheus,
        /// Standard output, one line of JSON for each metric at each interval. For development.
        "console" => Console,
    }
    refused { "logging" => "its name is `console`", "otlp/stdout" => "use `console`", }
}

choice! {
    /// Which values of counters and histograms become exemplars, which link a series to traces.
    pub enum ExemplarFilter {
        /// Those that are recorded within a sampled span.
        "trace_based" => TraceBased,
        /// All, also outside of a span and within spans that are not exported. Each record reads the clock.
        "always_on" => AlwaysOn,
        /// None.
        "always_off" => AlwaysOff,
    }
    refused {}
}

choice! {
    /// The temporality of what OTLP sends. The Prometheus text is cumulative in any case.
    pub enum TemporalityPreference {
        /// Cumulative.
        "cumulative" => Cumulative,
        /// Delta; cumulative for up-down counters.
        "delta" => Delta,
        /// Delta where that saves memory.
        "lowmemory" => LowMemory,
    }
    refused {}
}
