//! Attributes that replace others of a span, kept apart until it ends: the SDK's span takes no attribute back.

use std::{cell::RefCell, mem, mem::ManuallyDrop};

use opentelemetry::{KeyValue, SpanId};
use opentelemetry_sdk::trace::SpanData;

/// Attributes with unique keys that replace those of a span or are added to them, in its order.
#[derive(Debug, Default)]
pub(super) struct LateAttributes {
    attributes: Vec<KeyValue>,
    /// How many found no room.
    dropped: u32,
}

impl LateAttributes {
    /// Replaces the value of a key that is there. Returns the attribute if none is.
    pub(super) fn replace(&mut self, attribute: KeyValue) -> Option<KeyValue> {
        let mut attributes = self.attributes.iter_mut();
        match attributes.find(|earlier| earlier.key == attribute.key) {
            Some(earlier) => {
                earlier.value = attribute.value;
                None
            }
            None => Some(attribute),
        }
    }

    /// Adds a key that is not there.
    pub(super) fn push(&mut self, attribute: KeyValue) {
        self.attributes.push(attribute);
    }

    /// Counts an attribute that finds no room.
    pub(super) fn drop_one(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    pub(super) fn len(&self) -> usize {
        self.attributes.len()
    }

    /// Calls `end`, which ends the SDK's span `id` and hands it to the processors on this thread: they get the attributes
    /// by [`merge`].
    pub(super) fn while_ending(self, id: SpanId, end: impl FnOnce()) {
        if self.attributes.is_empty() && self.dropped == 0 {
            return end();
        }
        // A processor may end a span, too.
        let _around = Restore(exchange(Some(Ending { id, late: self })));
        end();
    }

    fn merge_into(&self, span: &mut SpanData, limit: u32) {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut dropped = self.dropped;
        for late in &self.attributes {
            let mut own = span.attributes.iter();
            match own.position(|own| own.key == late.key) {
                Some(own) => span.attributes[own].value = late.value.clone(),
                None if span.attributes.len() < limit => span.attributes.push(late.clone()),
                None => dropped = dropped.saturating_add(1),
            }
        }
        span.dropped_attributes_count = span.dropped_attributes_count.saturating_add(dropped);
    }
}

/// Gives a span that is being ended its late attributes, of which it has room for up to `limit` in all.
pub(super) fn merge(span: &mut SpanData, limit: u32) {
    let _ = ENDING.try_with(|ending| {
        let ending = ending.borrow();
        let ending = ending.as_ref();
        if let Some(ending) = ending.filter(|it| it.id == span.span_context.span_id()) {
            ending.late.merge_into(span, limit);
        }
    });
}

/// The span that this thread is ending, if it has late attributes.
struct Ending {
    id: SpanId,
    late: LateAttributes,
}

thread_local! {
    /// Spans end in destructors of a thread's other locals, too: this one has none, so that it is there until the last.
    static ENDING: RefCell<ManuallyDrop<Option<Ending>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

const _: () = assert!(!mem::needs_drop::<RefCell<ManuallyDrop<Option<Ending>>>>());

fn exchange(ending: Option<Ending>) -> Option<Ending> {
    let exchanged = ENDING.try_with(|cell| cell.replace(ManuallyDrop::new(ending)));
    exchanged.ok().and_then(ManuallyDrop::into_inner)
}

/// Puts back what was there, even if a processor panics.
struct Restore(Option<Ending>);

impl Drop for Restore {
    fn drop(&mut self) {
        drop(exchange(self.0.take()));
    }
}
