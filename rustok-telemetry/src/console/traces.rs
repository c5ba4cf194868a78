//! Traces as JSON: the list, one trace with its spans, and the operations.

use std::{collections::BTreeMap, time::Duration};

use opentelemetry::TraceId;
use opentelemetry_proto::tonic::trace::v1::{self, span, status::StatusCode};
use serde_json::{Value as Json, json};

use super::{
    attributes::{any, as_json, find, text_of},
    json::{hex, in_milliseconds, milliseconds, of_nanoseconds},
    search::Search,
    spans::KeptSpan,
    trace_store::{Trace, Traces},
};
use crate::trace::TENANT_ID;

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
        let has_error = |trace: &Trace| trace.errors > 0;
        let wanted = |trace: &Trace| {
            query
                .has_error
                .is_none_or(|wanted| wanted == has_error(trace))
        };
        let traces = self.newest_first(wanted).into_iter();
        let found = traces.filter(|(id, trace)| query.matches(**id, trace));
        let shown = found.take(query.limit);
        shown
            .filter_map(|(id, trace)| summary(*id, trace, service))
            .collect()
    }

    /// Returns the spans of a trace, the first first.
    pub(super) fn spans_of(&self, id: TraceId, service: &str) -> Option<Json> {
        let mut spans: Vec<_> = self.by_id.get(&id)?.spans.iter().collect();
        spans.sort_by_key(|span| span.start);
        let spans = spans.iter().map(|span| span_as_json(span, service));
        Some(spans.collect())
    }

    /// Returns the durations of the kept spans, by name.
    pub(super) fn operations(&self) -> Json {
        let mut operations: BTreeMap<&str, (Vec<Duration>, usize)> = BTreeMap::new();
        for span in self.by_id.values().flat_map(|trace| &trace.spans) {
            let (durations, errors) = operations.entry(span.name()).or_default();
            durations.push(span.duration());
            *errors += usize::from(span.has_error);
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
        let has = |matches: &dyn Fn(&v1::Span) -> bool| {
            let mut spans = trace.spans.iter();
            spans.any(|span| matches(&span.decoded()))
        };
        let is_of_tenant =
            |span: &v1::Span| text_of(&span.attributes, TENANT_ID).as_ref() == Some(&self.tenant);
        let mut names = trace.spans.iter().map(KeptSpan::name);
        (self.min..=self.max).contains(&extent(trace))
            && (self.operation.is_empty() || names.any(|name| name == self.operation))
            && (self.tenant.is_empty() || has(&is_of_tenant))
            && (self.text.is_empty()
                || self.text.finds(&id.to_string())
                || has(&|span| self.finds_in(span)))
    }

    fn finds_in(&self, span: &v1::Span) -> bool {
        let status = status_text(span);
        self.text.finds(&span.name)
            || status.is_some_and(|status| self.text.finds(status))
            || self.text.finds_in(&span.attributes)
            || span
                .events
                .iter()
                .any(|event| self.text.finds(&event.name) || self.text.finds_in(&event.attributes))
    }
}

/// Time from the start of the first span to the end of the last.
fn extent(trace: &Trace) -> Duration {
    let start = trace.spans.iter().map(|span| span.start).min();
    let end = trace.spans.iter().map(|span| span.end).max();
    let extent = start.zip(end).map(|(start, end)| end.duration_since(start));
    extent.and_then(Result::ok).unwrap_or_default()
}

fn summary(id: TraceId, trace: &Trace, service: &str) -> Option<Json> {
    let kept = trace.root()?;
    let root = kept.decoded();
    let of_root = |key| text_of(&root.attributes, key);
    let tenant = of_root(TENANT_ID).or_else(|| {
        let mut spans = trace.spans.iter();
        spans.find_map(|span| text_of(&span.decoded().attributes, TENANT_ID))
    });
    let start = trace.spans.iter().map(|span| span.start).min()?;
    let http = of_root("http.request.method").map(|method| {
        let status = find(&root.attributes, "http.response.status_code");
        json!({
            "method": method,
            "route": of_root("http.route"),
            "status": status.map(|status| any(status.value.as_ref())),
        })
    });
    Some(json!({
        "trace_id": id.to_string(),
        "name": root.name,
        "kind": kind(kept),
        "service": service,
        "start": milliseconds(start),
        "duration": in_milliseconds(extent(trace)),
        "spans": trace.spans.len(),
        "errors": trace.errors,
        "tenant": tenant,
        "status": status(&root),
        "http": http,
        "kept_for": trace.kept_for.as_str(),
    }))
}

fn span_as_json(kept: &KeptSpan, service: &str) -> Json {
    let span = kept.decoded();
    let events = span.events.iter().map(|event| {
        json!({
            "name": event.name,
            "time": of_nanoseconds(event.time_unix_nano),
            "attributes": as_json(&event.attributes),
        })
    });
    json!({
        "trace_id": kept.trace_id.to_string(),
        "span_id": hex(&span.span_id),
        "parent_span_id": hex(&span.parent_span_id),
        "name": span.name,
        "kind": kind(kept),
        "service": service,
        "start": milliseconds(kept.start),
        "duration": in_milliseconds(kept.duration()),
        "status": status(&span),
        "status_text": status_text(&span),
        "attributes": as_json(&span.attributes),
        "events": events.collect::<Vec<_>>(),
        "links": span.links.iter().map(link).collect::<Vec<_>>(),
        "scope": &*kept.scope,
        "sampled": span.flags & 1 == 1,
    })
}

fn link(link: &span::Link) -> Json {
    json!({
        "trace_id": hex(&link.trace_id),
        "span_id": hex(&link.span_id),
        "attributes": as_json(&link.attributes),
    })
}

fn kind(span: &KeptSpan) -> String {
    format!("{:?}", span.kind).to_ascii_lowercase()
}

fn status(span: &v1::Span) -> &'static str {
    match span.status.as_ref().map(v1::Status::code) {
        None | Some(StatusCode::Unset) => "unset",
        Some(StatusCode::Ok) => "ok",
        Some(StatusCode::Error) => "error",
    }
}

fn status_text(span: &v1::Span) -> Option<&str> {
    let text = span.status.as_ref()?.message.as_str();
    (!text.is_empty()).then_some(text)
}
