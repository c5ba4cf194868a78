//! Spans that start when they are made, because their parent is known. The sampler decides before their fields are
//! recorded, so the fields of a span that is not recorded are not encoded.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use opentelemetry::Context;
use tracing::Span;

use super::ext::set_parent;

/// How a span starts when it is made.
#[derive(Debug)]
pub(super) enum Start {
    /// With its usual parent.
    AtOnce,
    Within(Context),
}

thread_local! {
    /// For the next span of this thread.
    static START: Cell<Option<Start>> = const { Cell::new(None) };
}

/// Whether there has been a native layer.
static IN_USE: AtomicBool = AtomicBool::new(false);

pub(super) fn in_use() {
    IN_USE.store(true, Relaxed);
}

/// Takes how the span starts that this thread is making; `None` if it starts later.
pub(super) fn take() -> Option<Start> {
    // Thread locals are gone while a thread exits.
    START.try_with(Cell::take).ok().flatten()
}

/// Creates a span that starts at once, with its usual parent. Callers must not set another parent later, and the values
/// of its fields must not create spans.
pub(crate) fn create(create: impl FnOnce() -> Span) -> Span {
    match IN_USE.load(Relaxed) {
        true => starting(Start::AtOnce, create).0,
        false => create(),
    }
}

/// Creates a span that starts at once, with this parent. The values of its fields must not create spans.
pub(crate) fn create_within(
    parent: impl FnOnce() -> Context,
    create: impl FnOnce() -> Span,
) -> Span {
    let (span, parent) = match IN_USE.load(Relaxed) {
        true => match starting(Start::Within(parent()), create) {
            (span, Some(Start::Within(parent))) if !span.is_disabled() => (span, parent),
            (span, _) => return span,
        },
        false => match create() {
            span if span.is_disabled() => return span,
            span => (span, parent()),
        },
    };
    // The native layer has not seen the span.
    set_parent(&span, parent);
    span
}

/// Creates a span. Returns the start as well if no layer took it.
fn starting(start: Start, create: impl FnOnce() -> Span) -> (Span, Option<Start>) {
    struct Forget;

    impl Drop for Forget {
        fn drop(&mut self) {
            take();
        }
    }

    let _ = START.try_with(|next| next.set(Some(start)));
    // A panic must not leave it to another span.
    let _forget = Forget;
    (create(), take())
}
