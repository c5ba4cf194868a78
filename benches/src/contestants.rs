//! The contenders that run in a process each, and the tables that compare them.

use clap::ValueEnum;

use crate::{
    http_layer,
    isolated::{self, Unit, Work},
    rounds::Effort,
    span_layer,
};

/// The contenders, in the order of the tables.
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
    SpanRustokTwoThreads,
    SpanTracingOpentelemetryTwoThreads,
    HttpBare,
    HttpRustokMetrics,
    HttpRustok,
    HttpRustokNotSampled,
    HttpTowerHttp,
    HttpOpentelemetry,
    FourBare,
    FourRustok,
    FourRustokNotSampled,
    FourAxumTracing,
    FourAxumTracingNotSampled,
}

/// Measures spans, and prints tables.
pub(crate) fn report_spans(effort: Effort) {
    let contestants = [
        Contestant::SpanBare,
        Contestant::SpanRustokMetrics,
        Contestant::SpanRustok,
        Contestant::SpanRustokNotSampled,
        Contestant::SpanTracingOpentelemetry,
        Contestant::SpanTracingOpentelemetryNotSampled,
        Contestant::SpanOpentelemetry,
        Contestant::SpanOpentelemetryNotSampled,
        Contestant::SpanFastraceRoot,
        Contestant::SpanFastraceChild,
    ];
    let title = "Spans with one field of text, one thread";
    let peer = Contestant::SpanTracingOpentelemetry;
    isolated::report(title, Unit::new("span"), &contestants, peer, effort);
    let contestants = [
        Contestant::SpanRustok,
        Contestant::SpanRustokTwoThreads,
        Contestant::SpanTracingOpentelemetry,
        Contestant::SpanTracingOpentelemetryTwoThreads,
    ];
    let title = "Sampled spans of one operation, one thread and two";
    let peer = Contestant::SpanRustok;
    isolated::report(title, Unit::new("span"), &contestants, peer, effort);
}

/// Measures layers for HTTP servers, and prints tables.
pub(crate) fn report_http_layers(effort: Effort) {
    let contestants = [
        Contestant::HttpBare,
        Contestant::HttpRustokMetrics,
        Contestant::HttpRustok,
        Contestant::HttpRustokNotSampled,
        Contestant::HttpTowerHttp,
        Contestant::HttpOpentelemetry,
    ];
    let title = "A request to a service that answers at once, one thread";
    let peer = Contestant::HttpOpentelemetry;
    isolated::report(title, Unit::new("request"), &contestants, peer, effort);
    let contestants = [
        Contestant::FourBare,
        Contestant::FourRustok,
        Contestant::FourRustokNotSampled,
        Contestant::FourAxumTracing,
        Contestant::FourAxumTracingNotSampled,
    ];
    let title = "A request with three more spans, one thread";
    let peer = Contestant::FourAxumTracing;
    let unit = Unit {
        name: "request",
        acts: http_layer::four::SPANS,
    };
    isolated::report(title, unit, &contestants, peer, effort);
}

impl isolated::Contestant for Contestant {
    fn name(&self) -> &'static str {
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
            Self::SpanRustokTwoThreads => "**rustok-telemetry**, everything, two threads",
            Self::SpanTracingOpentelemetryTwoThreads => {
                "tracing-opentelemetry, defaults, two threads"
            }
            Self::HttpBare | Self::FourBare => "floor: the service without a layer",
            Self::HttpRustokMetrics => "**rustok-telemetry**, metrics alone",
            Self::HttpRustok | Self::FourRustok => "**rustok-telemetry**, everything, sampled",
            Self::HttpRustokNotSampled | Self::FourRustokNotSampled => {
                "**rustok-telemetry**, everything, not sampled"
            }
            Self::HttpTowerHttp => "tower-http's `TraceLayer`, tracing-opentelemetry, sampled",
            Self::HttpOpentelemetry => "opentelemetry-instrumentation-tower, sampled",
            Self::FourAxumTracing => "axum-tracing-opentelemetry, sampled",
            Self::FourAxumTracingNotSampled => "axum-tracing-opentelemetry, not sampled",
        }
    }

    fn argument(&self) -> String {
        let value = self.to_possible_value().expect("it has a name");
        value.get_name().to_owned()
    }

    fn threads(self) -> usize {
        match self {
            Self::SpanRustokTwoThreads | Self::SpanTracingOpentelemetryTwoThreads => 2,
            _ => 1,
        }
    }

    fn set_up(self) -> Work {
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
            Self::SpanRustokTwoThreads => {
                span_layer::on_two_threads(span_layer::rustok::everything(true))
            }
            Self::SpanTracingOpentelemetryTwoThreads => {
                span_layer::on_two_threads(span_layer::tracing_opentelemetry::spans(true))
            }
            Self::HttpBare => http_layer::bare(),
            Self::HttpRustokMetrics => http_layer::rustok_metrics(),
            Self::HttpRustok => http_layer::rustok(true),
            Self::HttpRustokNotSampled => http_layer::rustok(false),
            Self::HttpTowerHttp => http_layer::tower_http(),
            Self::HttpOpentelemetry => http_layer::opentelemetry(),
            Self::FourBare => http_layer::four::bare(),
            Self::FourRustok => http_layer::four::rustok(true),
            Self::FourRustokNotSampled => http_layer::four::rustok(false),
            Self::FourAxumTracing => http_layer::four::axum_tracing(true),
            Self::FourAxumTracingNotSampled => http_layer::four::axum_tracing(false),
        }
    }
}
