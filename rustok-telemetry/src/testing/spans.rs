//! Captured spans, and assertions on them.

use std::time::Duration;

use opentelemetry::{
    KeyValue, SpanId, TraceId, Value,
    trace::{SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;

use super::values::{AttributeValue, Typed};
use crate::trace::CANCELLED;

/// An ended span, as it would be exported.
///
/// The assertions return the span, so that they can be chained.
#[derive(Debug, Clone)]
pub struct CapturedSpan(SpanData);

impl CapturedSpan {
    pub(super) fn new(data: SpanData) -> Self {
        Self(data)
    }

    /// Returns the name: `otel.name`, or else the name of the `tracing` span.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the kind: server, client, producer, consumer or internal.
    pub fn kind(&self) -> SpanKind {
        self.0.span_kind.clone()
    }

    /// Returns the value of an attribute, with its exported type.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        let mut attributes = self.0.attributes.iter();
        let attribute = attributes.find(|attribute| attribute.key.as_str() == key)?;
        Some(&attribute.value)
    }

    /// Returns the description of the status; empty unless the status is an error with one.
    pub fn status_description(&self) -> &str {
        match &self.0.status {
            Status::Error { description } => description,
            Status::Unset | Status::Ok => "",
        }
    }

    /// Returns the id of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.0.span_context.trace_id()
    }

    /// Returns the id of the span.
    pub fn span_id(&self) -> SpanId {
        self.0.span_context.span_id()
    }

    /// Returns the id of the parent, which may be in another process; `None` for a root span.
    pub fn parent_id(&self) -> Option<SpanId> {
        let parent = self.0.parent_span_id;
        (parent != SpanId::INVALID).then_some(parent)
    }

    /// Returns the ids of the linked spans.
    pub fn links(&self) -> Vec<(TraceId, SpanId)> {
        let links = self.0.links.iter();
        links
            .map(|link| (link.span_context.trace_id(), link.span_context.span_id()))
            .collect()
    }

    /// Returns the time from start to end.
    pub fn duration(&self) -> Duration {
        let (start, end) = (self.0.start_time, self.0.end_time);
        end.duration_since(start).unwrap_or_default()
    }

    /// Asserts the value and the type of an attribute: `200` is an integer, and `"200"` is text.
    ///
    /// # Panics
    ///
    /// If the attribute has another value or type, or is absent.
    #[track_caller]
    pub fn assert_attribute(&self, key: &str, expected: impl AttributeValue) -> &Self {
        let (actual, expected) = (self.attribute(key), expected.into_value());
        assert!(
            actual == Some(&expected),
            "`{key}` is {}, not {}, on {}",
            describe_value(actual),
            Typed(&expected),
            self.describe()
        );
        self
    }

    /// Asserts that an attribute is absent.
    ///
    /// # Panics
    ///
    /// If the attribute is present.
    #[track_caller]
    pub fn assert_no_attribute(&self, key: &str) -> &Self {
        let actual = self.attribute(key);
        assert!(
            actual.is_none(),
            "`{key}` is {} on {}",
            describe_value(actual),
            self.describe()
        );
        self
    }

    /// Asserts that the span ended without an error and was not cancelled.
    ///
    /// # Panics
    ///
    /// If the status is an error, or the span has `error.type`, or was cancelled.
    #[track_caller]
    pub fn assert_ok(&self) -> &Self {
        let failed = matches!(self.0.status, Status::Error { .. })
            || self.attribute("error.type").is_some()
            || self.is_cancelled();
        assert!(!failed, "not ok: {}", self.describe());
        self
    }

    /// Asserts that the status is an error, and that `error.type` is `error_type`.
    ///
    /// # Panics
    ///
    /// If the status is not an error, or `error.type` is another one.
    #[track_caller]
    pub fn assert_error(&self, error_type: &str) -> &Self {
        let failed = matches!(self.0.status, Status::Error { .. });
        assert!(failed, "the status is no error: {}", self.describe());
        self.assert_attribute("error.type", error_type)
    }

    /// Asserts that the span was cancelled, which is not an error.
    ///
    /// # Panics
    ///
    /// If the span was not cancelled, or its status is an error.
    #[track_caller]
    pub fn assert_cancelled(&self) -> &Self {
        let failed = matches!(self.0.status, Status::Error { .. });
        assert!(
            self.is_cancelled() && !failed,
            "not cancelled: {}",
            self.describe()
        );
        self
    }

    /// Asserts that the parent of the span is `parent`.
    ///
    /// # Panics
    ///
    /// If the parent or the trace is another one.
    #[track_caller]
    pub fn assert_child_of(&self, parent: &Self) -> &Self {
        let is_child =
            self.trace_id() == parent.trace_id() && self.parent_id() == Some(parent.span_id());
        assert!(
            is_child,
            "not a child of {}: {}",
            parent.describe(),
            self.describe()
        );
        self
    }

    fn is_cancelled(&self) -> bool {
        self.attribute("rustok.outcome") == Some(&CANCELLED.into())
    }

    fn describe(&self) -> String {
        let attributes: Vec<_> = self
            .0
            .attributes
            .iter()
            .map(|attribute| format!("{}={}", attribute.key, Typed(&attribute.value)))
            .collect();
        format!(
            "span `{}` (trace {}, parent {:?}, {:?}, {})",
            self.name(),
            self.trace_id(),
            self.parent_id(),
            self.0.status,
            attributes.join(" ")
        )
    }

    /// Returns every text in the span that was set by code or by a caller: no ids, no times.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = vec![
            self.0.name.to_string(),
            self.status_description().to_owned(),
        ];
        let mut add = |attributes: &[KeyValue]| {
            for attribute in attributes {
                texts.push(format!("{}={}", attribute.key, attribute.value));
            }
        };
        add(&self.0.attributes);
        self.0
            .events
            .iter()
            .for_each(|event| add(&event.attributes));
        self.0.links.iter().for_each(|link| add(&link.attributes));
        texts.extend(self.0.events.iter().map(|event| event.name.to_string()));
        texts
    }
}

fn describe_value(value: Option<&Value>) -> String {
    value.map_or_else(|| "not there".to_owned(), |value| Typed(value).to_string())
}
