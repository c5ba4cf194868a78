//! Settings of traces.

use std::time::Duration;

use super::{
    BatchConfig, OtlpConfig, Sampler, Setting, Signal, SpanLimitsConfig, choice,
    sampler::visit_sampler, settings,
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

choice! {
    /// Where spans are exported.
    pub enum TracesExporter {
        /// By OTLP.
        "otlp" => Otlp,
        /// Standard output, one line of JSON for each span as soon as it has ended; the thread that ends it waits for the
        /// output. For development.
        "console" => Console,
    }
    refused {
        "zipkin" => "send OTLP to a Collector, which can forward to Zipkin",
        "logging" => "its name is `console`",
        "otlp/stdout" => "use `console`",
        "jaeger" => "Jaeger takes OTLP: use `otlp`",
    }
}
