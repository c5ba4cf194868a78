//! Settings of metrics: exporter, interval, and what the SDK is asked to aggregate.

use std::time::Duration;

use super::choice::{Choice, choice};
use super::env::Reader;
use super::error::Problem;
use super::otlp::{OtlpConfig, Signal};
use super::parse;
use super::setting::Setting;

const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// Settings of metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsConfig {
    /// Where metrics go. The text endpoint is there in any case.
    pub exporter: Setting<MetricsExporter>,
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
    /// How metrics are sent.
    pub otlp: OtlpConfig,
}

impl MetricsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            exporter: reader.setting(
                "OTEL_METRICS_EXPORTER",
                MetricsExporter::Otlp,
                MetricsExporter::parse,
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
            otlp: OtlpConfig::read(reader, Signal::Metrics),
        }
    }

    /// What is wrong in values set in code.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let interval = &self.interval;
        let problem = Problem::of_value(INTERVAL, "0", "not more than 0").from(interval.source);
        interval.is_zero().then_some(problem).into_iter().collect()
    }

    /// Puts the specification's default in the place of each value that cannot be used.
    pub(super) fn mend(&mut self) {
        if self.interval.is_zero() {
            self.interval = Setting::default_value(DEFAULT_INTERVAL);
        }
    }
}

/// Where metrics go, beside the text endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricsExporter {
    /// By OTLP.
    Otlp,
    /// Nowhere: Prometheus scrapes the text endpoint.
    Prometheus,
    /// Nowhere.
    None,
}

choice!(MetricsExporter {
    accepted { "otlp" => Otlp, "prometheus" => Prometheus, "none" => None }
    refused { "console" => NO_CONSOLE, "logging" => NO_CONSOLE, "otlp/stdout" => NO_CONSOLE }
});

const NO_CONSOLE: &str = "there is no exporter to the console; read the text endpoint instead";

/// Whether sums count from the start or from the last export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemporalityPreference {
    /// From the start.
    Cumulative,
}

choice!(TemporalityPreference {
    accepted { "cumulative" => Cumulative }
    refused { "delta" => NEEDS_CUMULATIVE, "lowmemory" => NEEDS_CUMULATIVE }
});

const NEEDS_CUMULATIVE: &str = "Prometheus and the text endpoint need cumulative sums";

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

/// Which measurements become exemplars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExemplarFilter {
    /// None.
    AlwaysOff,
}

choice!(ExemplarFilter {
    accepted { "always_off" => AlwaysOff }
    refused { "always_on" => NO_EXEMPLARS, "trace_based" => NO_EXEMPLARS }
});

const NO_EXEMPLARS: &str = "the SDK records no exemplars; a Collector can make them from spans";
