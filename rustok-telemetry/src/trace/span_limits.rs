//! Limits of a span's attributes, events and links.

use opentelemetry_sdk::trace::SpanData;

use super::late_attributes;
use crate::{attributes::value_length::ValueLength, config::SpanLimitsConfig};

/// Limits of a span. The SDK enforces the counts, and [`complete`](Self::complete) the length of values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanLimits {
    pub(super) attributes: u32,
    pub(super) events: u32,
    pub(super) links: u32,
    pub(super) attributes_per_event: u32,
    pub(super) attributes_per_link: u32,
    pub(super) value_length: ValueLength,
}

impl SpanLimits {
    /// No limits, for a provider that has its own.
    pub(super) const UNLIMITED: Self = Self {
        attributes: u32::MAX,
        events: u32::MAX,
        links: u32::MAX,
        attributes_per_event: u32::MAX,
        attributes_per_link: u32::MAX,
        value_length: ValueLength::NONE,
    };

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

    /// Completes an ended span in its processor: merges late attributes, and truncates long values of the span, its
    /// events and its links.
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

/// The defaults of the OpenTelemetry specification.
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
