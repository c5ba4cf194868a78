//! A subscriber that closes spans one after another, so that no parent stays open.

use std::{
    any::TypeId,
    cell::{Cell, RefCell},
    ptr,
};

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    metadata::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_core::span::Current;

/// A subscriber that closes every span, also if two threads drop the last two handles of its child in the same moment.
///
/// `tracing-subscriber` 0.3.23 closes a parent while it closes the last child. If two threads drop handles of the child
/// in the same moment, the registry keeps the parent after it has closed, and the parent's own parent never closes: its
/// span is not exported, and the [shutdown report](crate::ShutdownReport) counts it as not ended. This subscriber closes
/// the parent after the child.
///
/// [`init`](crate::init()) installs it. A service that composes its own subscriber wraps it, with all its layers:
///
/// ```
/// use rustok_telemetry::trace::SequentialClose;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layers = tracing_subscriber::registry().with(tracing_subscriber::fmt::layer());
/// tracing::subscriber::set_global_default(SequentialClose::new(layers))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SequentialClose<S> {
    subscriber: S,
}

/// The subscriber that is closing a span on this thread, and the spans that are closed next.
struct Closing {
    subscriber: Cell<*const ()>,
    /// Has at most one span, unless a layer drops spans while one closes. It keeps its memory.
    next: RefCell<Vec<Id>>,
    /// Length of `next`.
    waiting: Cell<usize>,
}

thread_local! {
    static CLOSING: Closing = const {
        Closing {
            subscriber: Cell::new(ptr::null()),
            next: RefCell::new(Vec::new()),
            waiting: Cell::new(0),
        }
    };
}

impl Closing {
    fn push(&self, id: Id) {
        self.next.borrow_mut().push(id);
        self.waiting.set(self.waiting.get() + 1);
    }

    /// Removes a span, unless only the first `of_others` are left.
    #[inline]
    fn pop(&self, of_others: usize) -> Option<Id> {
        if self.waiting.get() == of_others {
            return None;
        }
        self.waiting.set(self.waiting.get() - 1);
        self.next.borrow_mut().pop()
    }
}

impl<S: Subscriber> SequentialClose<S> {
    /// Wraps a subscriber and all its layers. A layer that is added outside of it would not be notified of every close.
    pub fn new(subscriber: S) -> Self {
        Self { subscriber }
    }

    fn close(&self, id: Id, closing: &Closing) -> bool {
        let this = ptr::from_ref(self).cast();
        if closing.subscriber.get() == this {
            closing.push(id);
            return false;
        }
        let of_others = closing.waiting.get();
        let _end = End {
            subscriber: self,
            closing,
            outer: closing.subscriber.replace(this),
            of_others,
        };
        let closed = self.subscriber.try_close(id);
        while let Some(id) = closing.pop(of_others) {
            self.subscriber.try_close(id);
        }
        closed
    }
}

/// Ends the work of a subscriber on this thread.
struct End<'a, S: Subscriber> {
    subscriber: &'a SequentialClose<S>,
    closing: &'a Closing,
    /// Another subscriber, of which a layer closes a span of this one.
    outer: *const (),
    /// Number of spans that the other subscriber closes next.
    of_others: usize,
}

impl<S: Subscriber> Drop for End<'_, S> {
    #[inline]
    fn drop(&mut self) {
        self.closing.subscriber.set(self.outer);
        // There is one only after a layer has panicked.
        while let Some(id) = self.closing.pop(self.of_others) {
            self.subscriber.close(id, self.closing);
        }
    }
}

impl<S: Subscriber> Subscriber for SequentialClose<S> {
    #[inline]
    fn try_close(&self, id: Id) -> bool {
        let closed = CLOSING.try_with(|closing| self.close(id.clone(), closing));
        // Thread-locals are gone while a thread exits.
        closed.unwrap_or_else(|_| self.subscriber.try_close(id))
    }

    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.subscriber.on_register_dispatch(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.subscriber.register_callsite(metadata)
    }

    #[inline]
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.subscriber.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.subscriber.max_level_hint()
    }

    #[inline]
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.subscriber.new_span(attributes)
    }

    #[inline]
    fn record(&self, id: &Id, values: &Record<'_>) {
        self.subscriber.record(id, values);
    }

    #[inline]
    fn record_follows_from(&self, id: &Id, follows: &Id) {
        self.subscriber.record_follows_from(id, follows);
    }

    #[inline]
    fn event_enabled(&self, event: &Event<'_>) -> bool {
        self.subscriber.event_enabled(event)
    }

    #[inline]
    fn event(&self, event: &Event<'_>) {
        self.subscriber.event(event);
    }

    #[inline]
    fn enter(&self, id: &Id) {
        self.subscriber.enter(id);
    }

    #[inline]
    fn exit(&self, id: &Id) {
        self.subscriber.exit(id);
    }

    #[inline]
    fn clone_span(&self, id: &Id) -> Id {
        self.subscriber.clone_span(id)
    }

    #[inline]
    fn current_span(&self) -> Current {
        self.subscriber.current_span()
    }

    #[allow(unsafe_code, reason = "the method is unsafe")]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(ptr::from_ref(self).cast());
        }
        // SAFETY: the returned pointer must point to a value of the type `id` that lives and stays in place as long as
        // `self`. The inner subscriber returns one to itself or to a part of it, valid for its own life; it is a field
        // of `self` and never replaced. The caller's obligations are passed on unchanged.
        unsafe { self.subscriber.downcast_raw(id) }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::{Arc, Mutex},
        thread,
    };

    use tracing::{Span, dispatcher, info_span};
    use tracing_subscriber::{
        Registry,
        layer::{Context, Layer, SubscriberExt},
        registry::LookupSpan,
    };

    use super::*;

    /// Keeps the names of closed spans. While a span `other` closes, it looks at `child`, and another thread closes that.
    #[derive(Clone, Default)]
    struct Closed {
        names: Arc<Mutex<Vec<&'static str>>>,
        child: Arc<Mutex<Option<Span>>>,
        panics_at: &'static str,
    }

    impl<S> Layer<S> for Closed
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        fn on_close(&self, id: Id, context: Context<'_, S>) {
            let name = context.span(&id).expect("it exists").name();
            self.names.lock().expect("no panic").push(name);
            let child = self.child.lock().expect("no panic").take();
            if let Some(child) = child.filter(|_| name == "other") {
                let looked_at = child.id().and_then(|id| context.span(&id));
                thread::scope(|scope| {
                    scope.spawn(move || drop(child));
                });
                drop(looked_at);
            }
            assert_ne!(name, self.panics_at, "the layer panics");
        }
    }

    fn family() -> Span {
        let grandparent = info_span!("grandparent");
        let parent = info_span!(parent: &grandparent, "parent");
        info_span!(parent: &parent, "child")
    }

    /// Returns the names of the spans that close, of `other` and a family.
    fn closed<S: Subscriber + Send + Sync>(
        panics_at: &'static str,
        wrap: impl FnOnce(tracing_subscriber::layer::Layered<Closed, Registry>) -> S,
    ) -> Vec<&'static str> {
        let layer = Closed {
            panics_at,
            ..Closed::default()
        };
        let dispatch = Dispatch::new(wrap(tracing_subscriber::registry().with(layer.clone())));
        dispatcher::with_default(&dispatch, || {
            *layer.child.lock().expect("no panic") = Some(family());
            let other = info_span!("other");
            let result = catch_unwind(AssertUnwindSafe(|| drop(other)));
            assert_eq!(result.is_err(), !panics_at.is_empty());
        });
        std::mem::take(&mut layer.names.lock().expect("no panic"))
    }

    #[test]
    fn parents_close_whichever_thread_closes_the_child() {
        let all = ["other", "child", "parent", "grandparent"];
        assert_eq!(closed("", SequentialClose::new), all);
    }

    #[test]
    fn parents_close_also_if_a_layer_panics() {
        let all = ["other", "child", "parent", "grandparent"];
        assert_eq!(closed("parent", SequentialClose::new), all);
    }

    /// If this fails, `SequentialClose` is not needed any more.
    #[test]
    fn tracing_subscriber_leaves_the_grandparent_open() {
        assert_eq!(
            closed("", |subscriber| subscriber),
            ["other", "child", "parent"]
        );
    }

    /// Closes a span of another subscriber while one of its own closes.
    struct Drops(Mutex<Option<Span>>);

    impl<S: Subscriber> Layer<S> for Drops {
        fn on_close(&self, _: Id, _: Context<'_, S>) {
            drop(self.0.lock().expect("no panic").take());
        }
    }

    #[test]
    fn a_span_of_another_subscriber_is_closed_by_that() {
        let layer = Closed::default();
        let subscriber = tracing_subscriber::registry().with(layer.clone());
        let inner = Dispatch::new(SequentialClose::new(subscriber));
        let span = dispatcher::with_default(&inner, || info_span!("inner"));
        let subscriber = tracing_subscriber::registry().with(Drops(Mutex::new(Some(span))));
        let outer = Dispatch::new(SequentialClose::new(subscriber));
        dispatcher::with_default(&outer, || drop(info_span!("outer")));
        assert_eq!(*layer.names.lock().expect("no panic"), ["inner"]);
    }

    #[test]
    fn layers_can_be_downcast() {
        let layers = tracing_subscriber::registry().with(Closed::default());
        let dispatch = Dispatch::new(SequentialClose::new(layers));
        assert!(dispatch.downcast_ref::<Closed>().is_some());
        assert!(dispatch.downcast_ref::<Registry>().is_some());
    }
}
