//! How much one span, or one log record, may hold.

use super::env::Reader;
use super::parse;
use super::setting::Setting;

/// How much one span may hold. What is beyond a count is dropped and counted by the SDK.
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
    /// Most characters of a text among the attributes of a span, its events and its links; the rest is cut off.
    /// `None`: no limit.
    pub value_length: Setting<Option<u32>>,
}

impl SpanLimitsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut limit = |name| reader.setting(name, 128, parse::count);
        Self {
            events: limit("OTEL_SPAN_EVENT_COUNT_LIMIT"),
            links: limit("OTEL_SPAN_LINK_COUNT_LIMIT"),
            attributes_per_event: limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"),
            attributes_per_link: limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"),
            attributes: count(reader, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
            value_length: length(reader, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
        }
    }
}

/// How much one log record may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLimitsConfig {
    /// Most attributes of a log record, besides the tenant. The first ones are kept.
    pub attributes: Setting<u32>,
    /// Most characters of a text among its attributes; the rest is cut off. `None`: no limit.
    pub value_length: Setting<Option<u32>>,
}

impl LogLimitsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            attributes: count(reader, "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT"),
            value_length: length(reader, "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
        }
    }
}

fn count(reader: &mut Reader, own: &'static str) -> Setting<u32> {
    reader.first_of([own, "OTEL_ATTRIBUTE_COUNT_LIMIT"], 128, |_, text| {
        parse::count(text)
    })
}

fn length(reader: &mut Reader, own: &'static str) -> Setting<Option<u32>> {
    let general = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT";
    reader.first_of([own, general], None, |_, text| parse::count(text).map(Some))
}
