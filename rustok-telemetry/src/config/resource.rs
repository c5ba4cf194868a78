//! What describes the service, and how context leaves it.

use super::choice::{Choice, choice};
use super::env::Reader;
use super::list::parse_pairs;
use super::parse;
use super::setting::{Setting, Source};

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

const SERVICE_NAME: &str = "service.name";

/// The service's name and the resource attributes. The name is taken out of the attributes, so that it
/// is in one place only.
pub(super) fn read_resource(reader: &mut Reader) -> Resource {
    let mut attributes = reader.setting("OTEL_RESOURCE_ATTRIBUTES", Vec::new(), attributes);
    let mut name = reader.setting("OTEL_SERVICE_NAME", None, |text| {
        parse::text(text).map(Some)
    });
    let position = attributes
        .value
        .iter()
        .position(|(key, _)| key == SERVICE_NAME);
    if let Some(position) = position {
        let (_, value) = attributes.value.remove(position);
        if name.source == Source::Default {
            name = Setting {
                value: Some(value),
                source: attributes.source,
            };
        }
    }
    Resource { name, attributes }
}

/// What [`read_resource`] found.
pub(super) struct Resource {
    pub(super) name: Setting<Option<String>>,
    pub(super) attributes: Setting<Vec<(String, String)>>,
}

pub(super) const PROPAGATORS: &str = "OTEL_PROPAGATORS";

/// Reads the propagators, each once, in the order given.
pub(super) fn read_propagators(reader: &mut Reader) -> Setting<Vec<Propagator>> {
    let default = default_propagators().value;
    reader.setting(PROPAGATORS, default, |text| {
        let propagators = Propagator::parse_list(text)?;
        disabled_propagators(&propagators).map_or(Ok(propagators), Err)
    })
}

pub(super) fn default_propagators() -> Setting<Vec<Propagator>> {
    Setting::default_value(vec![Propagator::TraceContext, Propagator::Baggage])
}

/// Names every Cargo feature that these propagators need and that is off, if there is one.
pub(super) fn disabled_propagators(propagators: &[Propagator]) -> Option<String> {
    let mut disabled: Vec<_> = propagators
        .iter()
        .filter_map(|each| each.disabled())
        .collect();
    disabled.sort_unstable();
    disabled.dedup();
    (!disabled.is_empty()).then(|| disabled.join("; "))
}

fn attributes(text: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = parse_pairs(text, true).map_err(|error| error.to_string())?;
    match pairs
        .iter()
        .position(|(key, value)| key == SERVICE_NAME && value.trim().is_empty())
    {
        Some(index) => Err(format!("pair {} gives {SERVICE_NAME} no value", index + 1)),
        None => Ok(pairs),
    }
}
