//! The span processor of the console.

use std::{sync::Arc, time::Duration};

use opentelemetry::{
    Context, KeyValue,
    trace::{Event, Link, Status},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

use super::{bytes, state::State};
use crate::trace::SpanLimits;

/// Estimate of what maps and allocations add to a span.
const SPAN_OVERHEAD: usize = 64;

/// Hands over every recorded span.
#[derive(Debug)]
pub(crate) struct ConsoleSpanProcessor {
    pub(super) state: Arc<State>,
    pub(super) limits: SpanLimits,
}

impl SpanProcessor for ConsoleSpanProcessor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        // What a span has is known to its thread alone, so it is completed here.
        self.limits.complete(&mut span);
        let bytes = bytes_of(&span);
        self.state.push(&self.state.spans, Box::new(span), bytes);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Estimates the memory of a span.
fn bytes_of(span: &SpanData) -> usize {
    let attributes = |attributes: &Vec<KeyValue>| {
        let values = attributes
            .iter()
            .map(|attribute| bytes::of_value(&attribute.value));
        attributes.capacity() * size_of::<KeyValue>() + values.sum::<usize>()
    };
    let events = span
        .events
        .iter()
        .map(|event| event.name.len() + attributes(&event.attributes));
    let links = span.links.iter().map(|link| attributes(&link.attributes));
    let status = match &span.status {
        Status::Error { description } => description.len(),
        Status::Unset | Status::Ok => 0,
    };
    size_of::<SpanData>()
        + SPAN_OVERHEAD
        + span.name.len()
        + attributes(&span.attributes)
        + span.events.events.capacity() * size_of::<Event>()
        + events.sum::<usize>()
        + span.links.links.capacity() * size_of::<Link>()
        + links.sum::<usize>()
        + status
}
