//! Who takes part.

use clap::ValueEnum;

use crate::{http_layer, span_layer};

/// All of them, in the order of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contestant {
    SpanBare,
    SpanRustokMetrics,
    SpanRustok,
    SpanRustokNotSampled,
    SpanTracingOpentelemetry,
    SpanTracingOpentelemetryNotSampled,
    SpanOpentelemetry,
    SpanOpentelemetryNotSampled,
    SpanFastraceRoot,
    SpanFastraceChild,
    HttpBare,
    HttpRustokMetrics,
    HttpRustok,
    HttpRustokNotSampled,
    HttpTowerHttp,
    HttpOpentelemetry,
}

impl Contestant {
    /// How the table calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::SpanBare => "floor: `tracing`'s registry, a layer that does nothing",
            Self::SpanRustokMetrics => "**rustok-telemetry**, span metrics alone",
            Self::SpanRustok => "**rustok-telemetry**, everything, sampled",
            Self::SpanRustokNotSampled => "**rustok-telemetry**, everything, not sampled",
            Self::SpanTracingOpentelemetry => "tracing-opentelemetry, defaults, sampled",
            Self::SpanTracingOpentelemetryNotSampled => {
                "tracing-opentelemetry, defaults, not sampled"
            }
            Self::SpanOpentelemetry => "OpenTelemetry's tracer without `tracing`, sampled",
            Self::SpanOpentelemetryNotSampled => {
                "OpenTelemetry's tracer without `tracing`, not sampled"
            }
            Self::SpanFastraceRoot => "fastrace, a root",
            Self::SpanFastraceChild => "fastrace, a local child",
            Self::HttpBare => "floor: the service without a layer",
            Self::HttpRustokMetrics => "**rustok-telemetry**, metrics alone",
            Self::HttpRustok => "**rustok-telemetry**, everything, sampled",
            Self::HttpRustokNotSampled => "**rustok-telemetry**, everything, not sampled",
            Self::HttpTowerHttp => "tower-http's `TraceLayer`, tracing-opentelemetry, sampled",
            Self::HttpOpentelemetry => "opentelemetry-instrumentation-tower, sampled",
        }
    }

    /// Sets it up for this process.
    pub(super) fn set_up(self) -> Work {
        match self {
            Self::SpanBare => span_layer::bare::spans(),
            Self::SpanRustokMetrics => span_layer::rustok::span_metrics(),
            Self::SpanRustok => span_layer::rustok::everything(true),
            Self::SpanRustokNotSampled => span_layer::rustok::everything(false),
            Self::SpanTracingOpentelemetry => span_layer::tracing_opentelemetry::spans(true),
            Self::SpanTracingOpentelemetryNotSampled => {
                span_layer::tracing_opentelemetry::spans(false)
            }
            Self::SpanOpentelemetry => span_layer::opentelemetry::spans(true),
            Self::SpanOpentelemetryNotSampled => span_layer::opentelemetry::spans(false),
            Self::SpanFastraceRoot => span_layer::fastrace::roots(),
            Self::SpanFastraceChild => span_layer::fastrace::children(),
            Self::HttpBare => http_layer::bare(),
            Self::HttpRustokMetrics => http_layer::rustok_metrics(),
            Self::HttpRustok => http_layer::rustok(true),
            Self::HttpRustokNotSampled => http_layer::rustok(false),
            Self::HttpTowerHttp => http_layer::tower_http(),
            Self::HttpOpentelemetry => http_layer::opentelemetry(),
        }
    }
}

/// What is done over and over.
pub(crate) struct Work {
    /// Does it so many times.
    pub(crate) act: Box<dyn Fn(usize)>,
    /// How many spans arrived, if they go anywhere.
    pub(crate) arrived: Option<Box<dyn Fn() -> u64>>,
    /// Asserts what must hold after so many times.
    pub(crate) check: Box<dyn Fn(u64)>,
}
