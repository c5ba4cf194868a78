//! The span in the context of an open span, for OpenTelemetry's interfaces.

use std::{borrow::Cow, time::SystemTime};

use opentelemetry::{
    KeyValue,
    trace::{Span, SpanContext, Status},
};
use tracing::span::Id;

use super::{
    NativeSpans,
    attributes::{Attributes, Owner},
    record::{Record, State},
};

/// Changes the record of a span, until that has ended.
#[derive(Debug)]
pub(super) struct NativeSpan {
    pub(super) spans: &'static NativeSpans,
    pub(super) id: Id,
    pub(super) context: SpanContext,
}

impl NativeSpan {
    /// Calls `change` unless the span has ended. The registry uses ids again, OpenTelemetry does not.
    fn change<R>(&self, change: impl FnOnce(&mut Record) -> R) -> Option<R> {
        let recording = |record: &mut Record| {
            let is_this = record.id == self.context.span_id() && record.state == State::Recording;
            is_this.then(|| change(record))
        };
        self.spans.with(&self.id, recording).flatten()
    }
}

impl Span for NativeSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        let limits = &self.spans.limits;
        let (name, attributes) = (
            name.into(),
            Attributes::of(Owner::event(limits), &attributes),
        );
        self.change(|record| record.add_event(limits, timestamp, &name, &attributes));
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.change(|_| ()).is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        let owner = Owner::span(&self.spans.limits);
        self.change(|record| record.attributes.set(owner, &attribute));
    }

    fn set_status(&mut self, status: Status) {
        self.change(|record| record.set_status(status));
    }

    fn update_name<T>(&mut self, name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        let name = name.into();
        self.change(|record| record.name.set(&name));
    }

    fn add_link(&mut self, context: SpanContext, attributes: Vec<KeyValue>) {
        let limits = &self.spans.limits;
        let attributes = Attributes::of(Owner::link(limits), &attributes);
        self.change(|record| record.add_link(limits, &context, &attributes));
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.change(|record| self.spans.end(record, timestamp));
    }
}
