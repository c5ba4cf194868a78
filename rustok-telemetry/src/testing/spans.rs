//! Captured spans, and assertions on them.

use std::time::Duration;

use opentelemetry::{
    KeyValue, SpanId, TraceId, Value,
    trace::{SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;

use super::values::{AttributeValue, Typed};
use crate::trace::CANCELLED;

/// A span that has ended, as it would be exported.
///
/// The assertions return it, so that several can follow each other.
#[derive(Debug, Clone)]
pub struct CapturedSpan(SpanData);

impl CapturedSpan {
    pub(super) fn new(data: SpanData) -> Self {
        Self(data)
    }

    /// Its name: `otel.name`, else that of the `tracing` span.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is: server, client, producer, consumer or internal.
    pub fn kind(&self) -> SpanKind {
        self.0.span_kind.clone()
    }

    /// The value of an attribute, with the type that is exported; its `to_string` is the text.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        let mut attributes = self.0.attributes.iter();
        let attribute = attributes.find(|attribute| attribute.key.as_str() == key)?;
        Some(&attribute.value)
    }

    /// The description of its status: empty unless it ended in an error that has one.
    pub fn status_description(&self) -> &str {
        match &self.0.status {
            Status::Error { description } => description,
            Status::Unset | Status::Ok => "",
        }
    }

    /// The trace that it belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.0.span_context.trace_id()
    }

    /// Its own id.
    pub fn span_id(&self) -> SpanId {
        self.0.span_context.span_id()
    }

    /// The id of its parent, which may be in another process.
    pub fn parent_id(&self) -> Option<SpanId> {
        let parent = self.0.parent_span_id;
        (parent != SpanId::INVALID).then_some(parent)
    }

    /// The spans that it is linked to.
    pub fn links(&self) -> Vec<(TraceId, SpanId)> {
        let links = self.0.links.iter();
        links
            .map(|link| (link.span_context.trace_id(), link.span_context.span_id()))
            .collect()
    }

    /// From its start to its end.
    pub fn duration(&self) -> Duration {
        let (start, end) = (self.0.start_time, self.0.end_time);
        end.duration_since(start).unwrap_or_default()
    }

    /// Asserts that an attribute has this value, and its type: `200` is an integer, and `"200"` is text.
    ///
    /// # Panics
    ///
    /// When it has another one, or is not there.
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

    /// Asserts that an attribute is not there.
    ///
    /// # Panics
    ///
    /// When it is.
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

    /// Asserts that it ended well: no error, not cancelled.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    pub fn assert_ok(&self) -> &Self {
        let failed = matches!(self.0.status, Status::Error { .. })
            || self.attribute("error.type").is_some()
            || self.is_cancelled();
        assert!(!failed, "not ok: {}", self.describe());
        self
    }

    /// Asserts that it ended in an error of this type: the status is an error, and `error.type` this name.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    pub fn assert_error(&self, error_type: &str) -> &Self {
        let failed = matches!(self.0.status, Status::Error { .. });
        assert!(failed, "the status is no error: {}", self.describe());
        self.assert_attribute("error.type", error_type)
    }

    /// Asserts that it was given up before it was done, which is no error.
    ///
    /// # Panics
    ///
    /// When it was not.
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

    /// Asserts that its parent is this span.
    ///
    /// # Panics
    ///
    /// When it is not.
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

    /// Everything in it that code or its caller gave it, each as text: no ids, and no times.
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
