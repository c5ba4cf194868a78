//! Formats of the context that travels between services.

use super::choice::choice;

/// A format in which context travels between services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Propagator {
    /// W3C trace context: the headers `traceparent` and `tracestate`.
    TraceContext,
    /// W3C baggage: the header `baggage`.
    Baggage,
    /// B3 in one header: `b3`. Needs the Cargo feature `b3`.
    B3,
    /// B3 in several headers: `X-B3-TraceId` and others. Needs the Cargo feature `b3`.
    B3Multi,
    /// Jaeger: the headers `uber-trace-id` and `uberctx-*`. Needs the Cargo feature `jaeger`.
    Jaeger,
}

choice!(Propagator {
    accepted {
        "tracecontext" => TraceContext,
        "baggage" => Baggage,
        "b3" => B3,
        "b3multi" => B3Multi,
        "jaeger" => Jaeger,
    }
    refused {
        "xray" => "AWS X-Ray takes W3C trace context too",
        "ottrace" => "the OpenTracing format is out of use; b3 and jaeger are not",
    }
});

impl Propagator {
    /// Why this propagator cannot be used, if it is disabled at compile time.
    fn disabled(self) -> Option<&'static str> {
        match self {
            Self::B3 | Self::B3Multi if !cfg!(feature = "b3") => Some(
                "B3 is disabled in this build: turn on the Cargo feature `b3` of rustok-telemetry",
            ),
            Self::Jaeger if !cfg!(feature = "jaeger") => Some(
                "Jaeger's format is disabled in this build: turn on the Cargo feature `jaeger` of rustok-telemetry",
            ),
            Self::TraceContext | Self::Baggage | Self::B3 | Self::B3Multi | Self::Jaeger => None,
        }
    }
}

/// Names every disabled Cargo feature that these propagators need, if there is one.
pub(super) fn disabled_propagators(propagators: &[Propagator]) -> Option<String> {
    let mut disabled: Vec<_> = propagators
        .iter()
        .filter_map(|each| each.disabled())
        .collect();
    disabled.sort_unstable();
    disabled.dedup();
    (!disabled.is_empty()).then(|| disabled.join("; "))
}
