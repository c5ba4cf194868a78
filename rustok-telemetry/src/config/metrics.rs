//! Settings of metrics: exporter, interval, and what the SDK is asked to aggregate.

use std::time::Duration;

use super::choice::{Choice, choice};
use super::env::Reader;
use super::error::Diagnostic;
use super::otlp::{OtlpConfig, Signal};
use super::parse;
use super::prometheus::PrometheusConfig;
use super::setting::{Setting, Source};
use super::setting_diagnostic::SettingDiagnostic;
use super::views::View;

const EXPORTER: &str = "OTEL_METRICS_EXPORTER";
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// Settings of metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsConfig {
    /// Where metrics go. The text is there in any case, as a route of the service.
    pub exporters: Setting<Vec<MetricsExporter>>,
    /// Time between the starts of two exports.
    pub interval: Setting<Duration>,
    /// Longest time that one export may take. `None`: no limit.
    pub timeout: Setting<Option<Duration>>,
    /// Whether sums count from the start.
    pub temporality: Setting<TemporalityPreference>,
    /// How histograms are aggregated.
    pub histograms: Setting<HistogramAggregation>,
    /// Which measurements become exemplars.
    pub exemplars: Setting<ExemplarFilter>,
    /// Where the text is served besides, if the exporter `prometheus` is chosen.
    pub prometheus: PrometheusConfig,
    /// What is done differently with some metrics. No variable tells it, only a configuration file or code.
    pub views: Setting<Vec<View>>,
    /// How metrics are sent.
    pub otlp: OtlpConfig,
}

impl MetricsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let config = Self {
            exporters: reader.setting(
                EXPORTER,
                vec![MetricsExporter::Otlp],
                MetricsExporter::parse_list,
            ),
            interval: reader.setting(INTERVAL, DEFAULT_INTERVAL, parse::interval),
            timeout: reader.setting(
                "OTEL_METRIC_EXPORT_TIMEOUT",
                Some(Duration::from_secs(30)),
                parse::timeout,
            ),
            temporality: reader.setting(
                "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
                TemporalityPreference::Cumulative,
                TemporalityPreference::parse,
            ),
            histograms: reader.setting(
                "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
                HistogramAggregation::ExplicitBuckets,
                HistogramAggregation::parse,
            ),
            exemplars: reader.setting(
                "OTEL_METRICS_EXEMPLAR_FILTER",
                ExemplarFilter::AlwaysOff,
                ExemplarFilter::parse,
            ),
            prometheus: PrometheusConfig::read(reader),
            views: reader.take_views(),
            otlp: OtlpConfig::read(reader, Signal::Metrics),
        };
        let chosen = config
            .exporters
            .value
            .contains(&MetricsExporter::Prometheus);
        if !chosen && !reader.has_failed(EXPORTER) {
            config.prometheus.refuse(reader);
        }
        config
    }

    /// The address at which the text is served besides the service's own route, if it is: the exporter `prometheus`
    /// is chosen, and a host or a port was set.
    pub fn prometheus_address(&self) -> Option<(&str, u16)> {
        let chosen = self.exporters.value.contains(&MetricsExporter::Prometheus);
        let PrometheusConfig { host, port } = &self.prometheus;
        let set = host.source != Source::Default || port.source != Source::Default;
        (chosen && set).then_some((host.value.as_str(), port.value))
    }

    /// What is wrong in values set in code.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let interval = &self.interval;
        let diagnostic =
            Diagnostic::of_value(INTERVAL, "0", "not more than 0").from(interval.source);
        let otlp = self
            .otlp
            .setting_diagnostics()
            .into_iter()
            .map(SettingDiagnostic::diagnostic);
        interval
            .value
            .is_zero()
            .then_some(diagnostic)
            .into_iter()
            .chain(otlp)
            .chain(self.views.value.iter().filter_map(|view| {
                let diagnostic =
                    Diagnostic::of_name(&view.instrument_name, None, view.diagnostic()?);
                Some(diagnostic.from(self.views.source))
            }))
            .collect()
    }

    /// Puts the specification's default in the place of each value that cannot be used.
    pub(super) fn apply_defaults(&mut self) {
        self.otlp.apply_defaults();
        self.views.value.retain(|view| view.diagnostic().is_none());
        if self.interval.value.is_zero() {
            self.interval = Setting::default_value(DEFAULT_INTERVAL);
        }
    }
}

/// Where metrics go, besides the text that is a route of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricsExporter {
    /// By OTLP.
    Otlp,
    /// Nowhere: Prometheus scrapes the text. With `OTEL_EXPORTER_PROMETHEUS_HOST` or `…_PORT` it is served at that
    /// address, too.
    Prometheus,
    /// Standard output, one line of JSON for each metric at each interval. For development.
    Console,
}

choice!(MetricsExporter {
    accepted { "otlp" => Otlp, "prometheus" => Prometheus, "console" => Console }
    refused { "logging" => "its name is `console`", "otlp/stdout" => "use `console`" }
});

/// Whether what is sent by OTLP counts from the start or from the last export. The text is cumulative in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemporalityPreference {
    /// From the start.
    Cumulative,
    /// From the last export; what goes up and down, from the start.
    Delta,
    /// From the last export, as far as that saves memory.
    LowMemory,
}

choice!(TemporalityPreference {
    accepted { "cumulative" => Cumulative, "delta" => Delta, "lowmemory" => LowMemory }
    refused {}
});

/// How histograms are aggregated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistogramAggregation {
    /// Into the buckets that each metric declares.
    ExplicitBuckets,
}

choice!(HistogramAggregation {
    accepted { "explicit_bucket_histogram" => ExplicitBuckets }
    refused {
        "base2_exponential_bucket_histogram" => "the Prometheus text would lose such histograms",
    }
});

/// Which measurements may become exemplars. None do: a Collector makes them from spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExemplarFilter {
    /// None.
    AlwaysOff,
    /// Those within sampled spans, the specification's default. The Collector makes its exemplars from just these.
    TraceBased,
}

choice!(ExemplarFilter {
    accepted { "always_off" => AlwaysOff, "trace_based" => TraceBased }
    refused {
        "always_on" => "no exemplars are recorded; a Collector makes them from sampled spans, so use `trace_based`",
    }
});
