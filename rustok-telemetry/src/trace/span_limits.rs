//! How much a span may hold.

use opentelemetry_sdk::trace::SpanData;

use super::late_attributes;
use crate::{attributes::value_length::ValueLength, config::SpanLimitsConfig};

/// Limits of a span. The SDK keeps the counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanLimits {
    pub(super) attributes: u32,
    pub(super) events: u32,
    pub(super) links: u32,
    pub(super) attributes_per_event: u32,
    pub(super) attributes_per_link: u32,
    value_length: ValueLength,
}

impl SpanLimits {
    pub(super) fn new(config: &SpanLimitsConfig) -> Self {
        Self {
            attributes: config.attributes.value,
            events: config.events.value,
            links: config.links.value,
            attributes_per_event: config.attributes_per_event.value,
            attributes_per_link: config.attributes_per_link.value,
            value_length: ValueLength::new(config.value_length.value),
        }
    }

    /// Completes a span that has ended, for a processor: gives it the attributes that were replaced, and cuts texts that
    /// are too long in it, its events and its links.
    pub(crate) fn complete(self, span: &mut SpanData) {
        late_attributes::merge(span, self.attributes);
        self.value_length.cut_all(&mut span.attributes);
        for event in &mut span.events.events {
            self.value_length.cut_all(&mut event.attributes);
        }
        for link in &mut span.links.links {
            self.value_length.cut_all(&mut link.attributes);
        }
    }
}

/// As the specification has them.
impl Default for SpanLimits {
    fn default() -> Self {
        Self {
            attributes: 128,
            events: 128,
            links: 128,
            attributes_per_event: 128,
            attributes_per_link: 128,
            value_length: ValueLength::default(),
        }
    }
}
