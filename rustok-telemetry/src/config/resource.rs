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
    /// B3 in one header: `b3`.
    B3,
    /// B3 in several headers: `X-B3-TraceId` and others.
    B3Multi,
    /// Jaeger: the headers `uber-trace-id` and `uberctx-*`.
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

/// The propagators, each once, in the order given.
pub(super) fn read_propagators(reader: &mut Reader) -> Setting<Vec<Propagator>> {
    let default = vec![Propagator::TraceContext, Propagator::Baggage];
    reader.setting("OTEL_PROPAGATORS", default, Propagator::parse_list)
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
