//! How much one span may hold.

use super::env::Reader;
use super::parse;
use super::setting::Setting;

/// How much one span may hold. What is beyond a limit is dropped and counted by the SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanLimitsConfig {
    /// Most attributes of a span.
    pub attributes: Setting<u32>,
    /// Most events of a span.
    pub events: Setting<u32>,
    /// Most links of a span.
    pub links: Setting<u32>,
    /// Most attributes of an event.
    pub attributes_per_event: Setting<u32>,
    /// Most attributes of a link.
    pub attributes_per_link: Setting<u32>,
}

impl SpanLimitsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut limit = |name| reader.setting(name, 128, parse::count);
        Self {
            events: limit("OTEL_SPAN_EVENT_COUNT_LIMIT"),
            links: limit("OTEL_SPAN_LINK_COUNT_LIMIT"),
            attributes_per_event: limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"),
            attributes_per_link: limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"),
            attributes: reader.first_of(
                [
                    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                    "OTEL_ATTRIBUTE_COUNT_LIMIT",
                ],
                128,
                |_, text| parse::count(text),
            ),
        }
    }
}
