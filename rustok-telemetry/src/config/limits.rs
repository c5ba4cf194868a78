//! Limits of spans and log records.

use super::{Rules, Setting, settings};

const COUNT: &str = "OTEL_ATTRIBUTE_COUNT_LIMIT";
const VALUE_LENGTH: &str = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT";

settings! {
    /// Limits of one span. The SDK drops and counts what exceeds a count.
    #[derive(Eq)]
    pub struct SpanLimitsConfig() {
        /// Maximum number of attributes of a span.
        attributes: Setting<u32> = setting("attributes", ["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", COUNT], 128),
        /// Maximum number of events of a span.
        events: Setting<u32> = setting("events", ["OTEL_SPAN_EVENT_COUNT_LIMIT"], 128),
        /// Maximum number of links of a span.
        links: Setting<u32> = setting("links", ["OTEL_SPAN_LINK_COUNT_LIMIT"], 128),
        /// Maximum number of attributes of an event.
        attributes_per_event: Setting<u32> =
            setting("attributes_per_event", ["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"], 128),
        /// Maximum number of attributes of a link.
        attributes_per_link: Setting<u32> =
            setting("attributes_per_link", ["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"], 128),
        /// Maximum number of characters of a text attribute of a span, an event or a link; longer ones are truncated.
        /// `None`: no limit.
        value_length: Setting<Option<u32>> = setting(
            "value_length", ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", VALUE_LENGTH], None, Rules::optional("no limit")
        ),
    }
}

settings! {
    /// Limits of one log record.
    #[derive(Eq)]
    pub struct LogLimitsConfig() {
        /// Maximum number of attributes of a log record, besides the tenant. The first ones are kept.
        attributes: Setting<u32> = setting("attributes", ["OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", COUNT], 128),
        /// Maximum number of characters of a text attribute; longer ones are truncated. `None`: no limit.
        value_length: Setting<Option<u32>> = setting(
            "value_length", ["OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", VALUE_LENGTH], None,
            Rules::optional("no limit")
        ),
    }
}
