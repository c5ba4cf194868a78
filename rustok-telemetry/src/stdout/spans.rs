//! The `console` exporter of spans.

use std::time::Duration;

use opentelemetry::{
    Context, SpanId,
    trace::{Event, Link, Status},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use serde_json::{Value as Json, json};

use super::{attributes, seconds, write_line};
use crate::trace::SpanLimits;

/// Writes each sampled span when it ends.
#[derive(Debug)]
pub(crate) struct ConsoleSpans {
    limits: SpanLimits,
}

impl ConsoleSpans {
    pub(crate) fn new(limits: SpanLimits) -> Self {
        Self { limits }
    }
}

impl SpanProcessor for ConsoleSpans {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if span.span_context.is_sampled() {
            self.limits.complete(&mut span);
            write_line(&line(&span));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn line(span: &SpanData) -> Json {
    let took = span.end_time.duration_since(span.start_time);
    let parent = span.parent_span_id;
    let mut line = json!({
        "span": span.name,
        "kind": kind(span),
        "trace_id": span.span_context.trace_id().to_string(),
        "span_id": span.span_context.span_id().to_string(),
        "parent_span_id": (parent != SpanId::INVALID).then(|| parent.to_string()),
        "start": seconds(span.start_time),
        "duration_seconds": took.unwrap_or_default().as_secs_f64(),
        "status": match &span.status {
            Status::Unset => json!("unset"),
            Status::Ok => json!("ok"),
            Status::Error { description } => json!({ "error": description }),
        },
        "attributes": attributes(&span.attributes),
        "scope": span.instrumentation_scope.name(),
    });
    if !span.events.is_empty() {
        line["events"] = span.events.iter().map(event).collect();
    }
    if !span.links.is_empty() {
        line["links"] = span.links.iter().map(link).collect();
    }
    line
}

fn event(event: &Event) -> Json {
    json!({
        "event": event.name,
        "time": seconds(event.timestamp),
        "attributes": attributes(&event.attributes),
    })
}

fn kind(span: &SpanData) -> String {
    format!("{:?}", span.span_kind).to_ascii_lowercase()
}

fn link(link: &Link) -> Json {
    json!({
        "trace_id": link.span_context.trace_id().to_string(),
        "span_id": link.span_context.span_id().to_string(),
        "attributes": attributes(&link.attributes),
    })
}
