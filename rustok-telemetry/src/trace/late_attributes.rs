//! Attributes that replace others of a span. They are buffered until the span ends, because the SDK's span cannot
//! replace an attribute.

use std::{cell::RefCell, mem, mem::ManuallyDrop};

use opentelemetry::{KeyValue, SpanId};
use opentelemetry_sdk::trace::SpanData;

/// Attributes with unique keys, which are merged into those of the span.
#[derive(Debug, Default)]
pub(super) struct LateAttributes {
    pub(super) attributes: Vec<KeyValue>,
    /// Number of attributes beyond the limit.
    pub(super) dropped: u32,
}

impl LateAttributes {
    /// Replaces the value of a buffered key. Returns the attribute if its key is new.
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

    /// Calls `end`, which ends the SDK's span `id` and calls the span processors on this thread. They get the
    /// attributes with [`merge`].
    pub(super) fn while_ending(self, id: SpanId, end: impl FnOnce()) {
        if self.attributes.is_empty() && self.dropped == 0 {
            return end();
        }
        // A processor may end another span.
        let _around = Restore(exchange(Some(Ending { id, late: self })));
        end();
    }

    fn merge_into(&self, span: &mut SpanData, limit: u32) {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut dropped = self.dropped;
        for late in &self.attributes {
            let mut attributes = span.attributes.iter();
            match attributes.position(|attribute| attribute.key == late.key) {
                Some(index) => span.attributes[index].value = late.value.clone(),
                None if span.attributes.len() < limit => span.attributes.push(late.clone()),
                None => dropped = dropped.saturating_add(1),
            }
        }
        span.dropped_attributes_count = span.dropped_attributes_count.saturating_add(dropped);
    }
}

/// Merges the late attributes into a span that is ending on this thread, up to `limit` attributes in total.
pub(super) fn merge(span: &mut SpanData, limit: u32) {
    let _ = ENDING.try_with(|ending| {
        let ending = ending.borrow();
        let ending = ending.as_ref();
        if let Some(ending) = ending.filter(|it| it.id == span.span_context.span_id()) {
            ending.late.merge_into(span, limit);
        }
    });
}

/// A span that is ending on this thread, with its late attributes.
struct Ending {
    id: SpanId,
    late: LateAttributes,
}

thread_local! {
    /// Without a destructor, so that it is accessible while spans end in destructors of other thread locals.
    static ENDING: RefCell<ManuallyDrop<Option<Ending>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

const _: () = assert!(!mem::needs_drop::<RefCell<ManuallyDrop<Option<Ending>>>>());

fn exchange(ending: Option<Ending>) -> Option<Ending> {
    let exchanged = ENDING.try_with(|cell| cell.replace(ManuallyDrop::new(ending)));
    exchanged.ok().and_then(ManuallyDrop::into_inner)
}

/// Restores the previous value, also if a processor panics.
struct Restore(Option<Ending>);

impl Drop for Restore {
    fn drop(&mut self) {
        drop(exchange(self.0.take()));
    }
}
