//! The record of an open span.

use std::{mem, time::SystemTime};

use opentelemetry::{
    Context, InstrumentationScope, SpanId,
    trace::{SpanContext, SpanKind, Status, TraceContextExt},
};
use tracing::{Metadata, span::Id};

use super::{
    attributes::{self, Attributes, Owner},
    span_name::SpanName,
};
use crate::{
    trace::{SpanLimits, sink::EndedSpan},
    wire,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its parent can still be set.
    Pending,
    Recording,
    /// It has ids, and is not exported; or it has ended.
    NotRecording,
}

/// A span, whose attributes, events and links are encoded when they are added. It is used again after its close.
#[derive(Debug)]
pub(in crate::trace) struct Record {
    pub(super) metadata: &'static Metadata<'static>,
    pub(super) state: State,
    /// Before the start, the context of the parent; then that of the span.
    pub(super) context: Context,
    pub(super) id: SpanId,
    parent: SpanId,
    parent_is_remote: bool,
    pub(super) start: SystemTime,
    pub(super) end: Option<SystemTime>,
    pub(super) name: SpanName,
    pub(super) kind: SpanKind,
    status: Status,
    pub(super) attributes: Attributes,
    /// Set after the shadow, whose attributes are earlier.
    pub(super) after_shadow: Attributes,
    events: Messages,
    links: Messages,
    /// The span of tracing-opentelemetry, if its interfaces have been used.
    pub(super) shadow: Option<Id>,
}

/// Encoded events or links.
#[derive(Debug, Default)]
struct Messages {
    encoded: Vec<u8>,
    count: u32,
    dropped: u32,
}

impl Record {
    pub(super) fn new(metadata: &'static Metadata<'static>) -> Self {
        Self {
            metadata,
            state: State::Pending,
            context: Context::new(),
            id: SpanId::INVALID,
            parent: SpanId::INVALID,
            parent_is_remote: false,
            start: SystemTime::UNIX_EPOCH,
            end: None,
            name: SpanName::default(),
            kind: SpanKind::Internal,
            status: Status::Unset,
            attributes: Attributes::default(),
            after_shadow: Attributes::default(),
            events: Messages::default(),
            links: Messages::default(),
            shadow: None,
        }
    }

    /// Prepares the record of a closed span for another one.
    pub(super) fn clear(&mut self) {
        self.state = State::Pending;
        self.context = Context::new();
        self.id = SpanId::INVALID;
        self.end = None;
        self.name.clear();
        self.kind = SpanKind::Internal;
        self.status = Status::Unset;
        self.attributes.clear();
        self.after_shadow.clear();
        self.events.clear();
        self.links.clear();
        self.shadow = None;
    }

    /// Starts the span, in `state`, with the context that `context` makes of the parent's.
    pub(super) fn start(
        &mut self,
        state: State,
        span: SpanContext,
        context: impl FnOnce(&Context, SpanContext) -> Context,
    ) {
        self.id = span.span_id();
        let parent = mem::take(&mut self.context);
        {
            let parent = parent.span();
            let parent = parent.span_context();
            self.parent = match parent.is_valid() {
                true => parent.span_id(),
                false => SpanId::INVALID,
            };
            self.parent_is_remote = parent.is_valid() && parent.is_remote();
        }
        self.state = state;
        self.context = context(&parent, span);
    }

    pub(in crate::trace) fn is_recorded(&self) -> bool {
        self.state != State::NotRecording
    }

    pub(super) fn name(&self) -> &str {
        self.name.get().unwrap_or(self.metadata.name())
    }

    /// Follows the specification: `Ok` is final, and the last error wins; one without a description does not remove the
    /// earlier description.
    pub(super) fn set_status(&mut self, status: Status) {
        match (&self.status, &status) {
            (Status::Ok, _) | (_, Status::Unset) => {}
            (Status::Error { .. }, Status::Error { description }) if description.is_empty() => {}
            _ => self.status = status,
        }
    }

    pub(super) fn add_event(
        &mut self,
        limits: &SpanLimits,
        time: SystemTime,
        name: &str,
        attributes: &Attributes,
    ) {
        self.events.add(11, limits.events, |into| {
            wire::time(1, time, into);
            wire::text(2, name, into);
            attributes.write(4, into);
        });
    }

    pub(super) fn add_link(
        &mut self,
        limits: &SpanLimits,
        context: &SpanContext,
        attributes: &Attributes,
    ) {
        self.links.add(13, limits.links, |into| {
            wire::ids(1, 2, context, into);
            wire::text(3, &context.trace_state().header(), into);
            attributes.write(5, into);
            wire::fixed32(6, wire::flags(context, context.is_remote()), into);
        });
    }

    /// Sets the attributes that were recorded after the shadow was made.
    pub(super) fn join_attributes(&mut self, owner: Owner) {
        let later = mem::take(&mut self.after_shadow);
        self.attributes.set_all(owner, &later);
    }

    /// Ends the span, and calls `take` with it and its encoding.
    pub(super) fn end(
        &mut self,
        at: SystemTime,
        scope: &InstrumentationScope,
        take: impl FnOnce(&EndedSpan<'_>, &dyn Fn(&mut Vec<u8>)),
    ) {
        self.state = State::NotRecording;
        self.end = Some(at);
        let span = self.context.span();
        let ended = EndedSpan {
            context: span.span_context(),
            has_local_parent: self.parent != SpanId::INVALID && !self.parent_is_remote,
            start: self.start,
            end: at,
            kind: &self.kind,
            has_error: matches!(self.status, Status::Error { .. }),
            scope,
        };
        take(&ended, &|into| self.write(ended.context, at, into));
    }

    fn write(&self, context: &SpanContext, end: SystemTime, into: &mut Vec<u8>) {
        wire::ids(1, 2, context, into);
        wire::text(3, &context.trace_state().header(), into);
        if self.parent != SpanId::INVALID {
            wire::bytes(4, &self.parent.to_bytes(), into);
        }
        wire::text(5, self.name(), into);
        wire::integer(6, wire::kind(&self.kind), into);
        wire::time(7, self.start, into);
        wire::time(8, end, into);
        self.attributes.write(10, into);
        self.events.write(12, into);
        self.links.write(14, into);
        wire::status(15, &self.status, into);
        wire::fixed32(16, wire::flags(context, self.parent_is_remote), into);
    }
}

impl Messages {
    fn add(&mut self, field: u32, limit: u32, write: impl FnOnce(&mut Vec<u8>)) {
        if self.count < limit {
            self.count += 1;
            wire::message(field, &mut self.encoded, write);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    fn write(&self, dropped: u32, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.encoded);
        wire::integer(dropped, self.dropped.into(), into);
    }

    fn clear(&mut self) {
        attributes::clear(&mut self.encoded);
        (self.count, self.dropped) = (0, 0);
    }
}
