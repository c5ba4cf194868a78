//! Settings of traces.

use std::time::Duration;

use super::{
    batch::BatchConfig,
    choice::choice,
    limits::SpanLimitsConfig,
    otlp::{OtlpConfig, Signal},
    sampler::{Sampler, visit_sampler},
    setting::Setting,
    visitor::settings,
};

settings! {
    /// Settings of traces.
    pub struct TracesConfig() {
        /// Where spans are exported. Without an exporter, span metrics and propagation still work.
        exporters: Setting<Vec<TracesExporter>> =
            setting("exporters", ["OTEL_TRACES_EXPORTER"], vec![TracesExporter::Otlp]),
        /// Which traces are recorded.
        sampler: Setting<Sampler> = by("", visit_sampler),
        /// How spans are batched.
        batch: BatchConfig = by("batch", BatchConfig::visit, "BSP", Duration::from_secs(5)),
        /// Limits of one span.
        limits: SpanLimitsConfig = by("limits", SpanLimitsConfig::visit),
        /// How OTLP sends spans.
        otlp: OtlpConfig = by("otlp", OtlpConfig::visit, Signal::Traces),
    }
}

/// Where spans are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TracesExporter {
    /// By OTLP.
    Otlp,
    /// Standard output, one line of JSON for each span as soon as it has ended; the thread that ends it waits for the
    /// output. For development.
    Console,
}

choice!(TracesExporter {
    accepted { "otlp" => Otlp, "console" => Console }
    refused {
        "zipkin" => "send OTLP to a Collector, which can forward to Zipkin",
        "logging" => "its name is `console`",
        "otlp/stdout" => "use `console`",
        "jaeger" => "Jaeger takes OTLP: use `otlp`",
    }
});
