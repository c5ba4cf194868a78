//! Who takes part.

use clap::ValueEnum;

use super::{bare, fastrace, opentelemetry, rustok, tracing_opentelemetry};

/// In the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contestant {
    Bare,
    RustokSpanMetrics,
    Rustok,
    RustokNotSampled,
    TracingOpentelemetry,
    TracingOpentelemetryNotSampled,
    Opentelemetry,
    OpentelemetryNotSampled,
    FastraceRoot,
    FastraceChild,
}

impl Contestant {
    /// How the table calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Bare => "floor: `tracing`'s registry, a layer that does nothing",
            Self::RustokSpanMetrics => "**rustok-telemetry**, span metrics alone",
            Self::Rustok => "**rustok-telemetry**, everything, sampled",
            Self::RustokNotSampled => "**rustok-telemetry**, everything, not sampled",
            Self::TracingOpentelemetry => "tracing-opentelemetry, defaults, sampled",
            Self::TracingOpentelemetryNotSampled => "tracing-opentelemetry, defaults, not sampled",
            Self::Opentelemetry => "OpenTelemetry's tracer without `tracing`, sampled",
            Self::OpentelemetryNotSampled => {
                "OpenTelemetry's tracer without `tracing`, not sampled"
            }
            Self::FastraceRoot => "fastrace, a root",
            Self::FastraceChild => "fastrace, a local child",
        }
    }

    /// Sets it up for this process.
    pub(super) fn set_up(self) -> Spans {
        match self {
            Self::Bare => bare::spans(),
            Self::RustokSpanMetrics => rustok::span_metrics(),
            Self::Rustok => rustok::everything(true),
            Self::RustokNotSampled => rustok::everything(false),
            Self::TracingOpentelemetry => tracing_opentelemetry::spans(true),
            Self::TracingOpentelemetryNotSampled => tracing_opentelemetry::spans(false),
            Self::Opentelemetry => opentelemetry::spans(true),
            Self::OpentelemetryNotSampled => opentelemetry::spans(false),
            Self::FastraceRoot => fastrace::roots(),
            Self::FastraceChild => fastrace::children(),
        }
    }
}

/// A way to make spans.
pub(crate) struct Spans {
    /// Makes so many.
    pub(super) make: fn(usize),
    /// How many arrived, if they go anywhere, or how many were counted, if nothing else becomes of them.
    pub(super) arrived: Option<Box<dyn Fn() -> u64>>,
    /// Asserts what else must hold after so many spans.
    pub(super) check: Box<dyn Fn(u64)>,
}

/// Values of the field.
const CUSTOMERS: [&str; 4] = [
    "customer-0017",
    "customer-0023",
    "customer-0108",
    "customer-1501",
];

/// The value of a span's field.
#[inline]
pub(super) fn customer(number: usize) -> &'static str {
    CUSTOMERS[number % CUSTOMERS.len()]
}

/// Spans of `tracing`, the same for each of its layers.
pub(super) fn tracing_spans(count: usize) {
    for number in 0..count {
        let span = tracing::info_span!("order.place", customer = customer(number));
        let _entered = span.enter();
    }
}
