//! Traces as JSON: the list, one trace with its spans, and the operations.

use std::{collections::BTreeMap, time::Duration};

use opentelemetry::{KeyValue, SpanId, TraceId, Value, trace::Status};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value as Json, json};

use super::{
    json::{in_milliseconds, milliseconds},
    search::Search,
    trace_store::{Trace, Traces, duration, is_error},
};
use crate::{
    stdout::{attributes, kind, link},
    trace::TENANT_ID,
};

/// Which traces are asked for.
#[derive(Debug, Default)]
pub(super) struct TraceQuery {
    pub(super) text: Search,
    /// Name of a span.
    pub(super) operation: String,
    pub(super) tenant: String,
    /// Whether there is a span with an error.
    pub(super) has_error: Option<bool>,
    pub(super) min: Duration,
    pub(super) max: Duration,
    pub(super) limit: usize,
}

impl Traces {
    /// Returns the newest traces of a query.
    pub(super) fn list(&self, query: &TraceQuery, service: &str) -> Json {
        let traces = self.newest_first().into_iter();
        let found = traces.filter(|(id, trace)| query.matches(**id, trace));
        let shown = found.take(query.limit);
        shown
            .filter_map(|(id, trace)| summary(*id, trace, service))
            .collect()
    }

    /// Returns the spans of a trace, the first first.
    pub(super) fn spans_of(&self, id: TraceId, service: &str) -> Option<Json> {
        let mut spans: Vec<_> = self.by_id.get(&id)?.spans.iter().collect();
        spans.sort_by_key(|span| span.start_time);
        let spans = spans.iter().map(|span| as_json(span, service));
        Some(spans.collect())
    }

    /// Returns the durations of the kept spans, by name.
    pub(super) fn operations(&self) -> Json {
        let mut operations: BTreeMap<&str, (Vec<Duration>, usize)> = BTreeMap::new();
        for span in self.by_id.values().flat_map(|trace| &trace.spans) {
            let (durations, errors) = operations.entry(&span.name).or_default();
            durations.push(duration(span));
            *errors += usize::from(is_error(span));
        }
        operations
            .into_iter()
            .map(|(name, (mut durations, errors))| {
                durations.sort_unstable();
                // The smallest duration that so many percent of the spans do not exceed.
                let percentile = |percent: usize| {
                    let rank = (durations.len() * percent).div_ceil(100).max(1);
                    in_milliseconds(durations[rank - 1])
                };
                json!({
                    "name": name,
                    "count": durations.len(),
                    "errors": errors,
                    "p50": percentile(50),
                    "p95": percentile(95),
                    "max": percentile(100),
                })
            })
            .collect()
    }
}

impl TraceQuery {
    fn matches(&self, id: TraceId, trace: &Trace) -> bool {
        let has =
            |matches: &dyn Fn(&SpanData) -> bool| trace.spans.iter().any(|span| matches(span));
        let is_of_tenant =
            |span: &SpanData| text_of(span, TENANT_ID).as_ref() == Some(&self.tenant);
        let has_error = trace.errors > 0;
        self.has_error.is_none_or(|wanted| wanted == has_error)
            && (self.min..=self.max).contains(&extent(trace))
            && (self.operation.is_empty() || has(&|span| span.name == self.operation))
            && (self.tenant.is_empty() || has(&is_of_tenant))
            && (self.text.is_empty()
                || self.text.finds(&id.to_string())
                || has(&|span| self.finds_in(span)))
    }

    fn finds_in(&self, span: &SpanData) -> bool {
        let finds = |attributes: &[KeyValue]| {
            let mut values = attributes.iter().map(|attribute| attribute.value.as_str());
            values.any(|value| self.text.finds(&value))
        };
        let status = match &span.status {
            Status::Error { description } => description,
            Status::Unset | Status::Ok => "",
        };
        self.text.finds(&span.name)
            || (!status.is_empty() && self.text.finds(status))
            || finds(&span.attributes)
            || span
                .events
                .iter()
                .any(|event| self.text.finds(&event.name) || finds(&event.attributes))
    }
}

/// Time from the start of the first span to the end of the last.
fn extent(trace: &Trace) -> Duration {
    let start = trace.spans.iter().map(|span| span.start_time).min();
    let end = trace.spans.iter().map(|span| span.end_time).max();
    let extent = start.zip(end).map(|(start, end)| end.duration_since(start));
    extent.and_then(Result::ok).unwrap_or_default()
}

fn summary(id: TraceId, trace: &Trace, service: &str) -> Option<Json> {
    let root = trace.root()?;
    let mut spans = trace.spans.iter();
    let tenant = text_of(root, TENANT_ID);
    let tenant = tenant.or_else(|| spans.find_map(|span| text_of(span, TENANT_ID)));
    let start = trace.spans.iter().map(|span| span.start_time).min()?;
    let method = text_of(root, "http.request.method");
    let http = method.map(|method| {
        json!({
            "method": method,
            "route": text_of(root, "http.route"),
            "status": value_of(root, "http.response.status_code").map(|status| match status {
                Value::I64(status) => Json::from(*status),
                other => Json::from(other.as_str()),
            }),
        })
    });
    Some(json!({
        "trace_id": id.to_string(),
        "name": root.name,
        "kind": kind(root),
        "service": service,
        "start": milliseconds(start),
        "duration": in_milliseconds(extent(trace)),
        "spans": trace.spans.len(),
        "errors": trace.errors,
        "tenant": tenant,
        "status": status(root),
        "http": http,
        "kept_for": trace.kept_for.as_str(),
    }))
}

fn as_json(span: &SpanData, service: &str) -> Json {
    let parent = span.parent_span_id;
    let context = &span.span_context;
    let events = span.events.iter().map(|event| {
        json!({
            "name": event.name,
            "time": milliseconds(event.timestamp),
            "attributes": attributes(&event.attributes),
        })
    });
    json!({
        "trace_id": context.trace_id().to_string(),
        "span_id": context.span_id().to_string(),
        "parent_span_id": (parent != SpanId::INVALID).then(|| parent.to_string()),
        "name": span.name,
        "kind": kind(span),
        "service": service,
        "start": milliseconds(span.start_time),
        "duration": in_milliseconds(duration(span)),
        "status": status(span),
        "status_text": match &span.status {
            Status::Error { description } if !description.is_empty() => Some(description),
            _ => None,
        },
        "attributes": attributes(&span.attributes),
        "events": events.collect::<Vec<_>>(),
        "links": span.links.iter().map(link).collect::<Vec<_>>(),
        "scope": span.instrumentation_scope.name(),
        "sampled": context.is_sampled(),
    })
}

fn status(span: &SpanData) -> &'static str {
    match span.status {
        Status::Unset => "unset",
        Status::Ok => "ok",
        Status::Error { .. } => "error",
    }
}

fn value_of<'span>(span: &'span SpanData, key: &str) -> Option<&'span Value> {
    let mut attributes = span.attributes.iter();
    let attribute = attributes.find(|attribute| attribute.key.as_str() == key)?;
    Some(&attribute.value)
}

fn text_of(span: &SpanData, key: &str) -> Option<String> {
    value_of(span, key).map(|value| value.as_str().into_owned())
}
