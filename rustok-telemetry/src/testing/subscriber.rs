//! The subscriber of a capture: the layers of a service, which record into the capture on whatever thread they are
//! called.

use std::{
    cell::RefCell,
    sync::{Arc, PoisonError},
};

use tracing::{
    Dispatch, Event, Level, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

use super::{LogLine, Sink};
use crate::trace::{Machinery, SpanFilter, is_machinery};

pub(super) fn dispatch(sink: &Arc<Sink>, span_level: Level) -> Dispatch {
    let spans = SpanFilter::new(span_level, Machinery::default()).layer(&sink.tracer_provider);
    let subscriber = tracing_subscriber::registry()
        .with(Before(Arc::clone(sink)))
        .with(spans)
        .with(After(Arc::clone(sink)));
    Dispatch::new(subscriber)
}

/// The capture that a subscriber belongs to.
pub(super) fn of(dispatch: &Dispatch) -> Option<Arc<Sink>> {
    dispatch
        .downcast_ref::<Before>()
        .map(|layer| Arc::clone(&layer.0))
}

/// The capture of the layers that are being called; what they call finds no subscriber.
pub(super) fn within() -> Option<Arc<Sink>> {
    // A thread that ends has none any more.
    let last = WITHIN.try_with(|within| within.try_borrow().ok()?.last().cloned());
    last.ok().flatten()
}

thread_local! {
    static WITHIN: RefCell<Vec<Arc<Sink>>> = const { RefCell::new(Vec::new()) };
}

/// Layers are called in their order: this one is the first, and lets the others record into the capture.
struct Before(Arc<Sink>);

/// This one is the last, and ends that.
struct After(Arc<Sink>);

impl Before {
    fn enter(&self) {
        let _ = WITHIN.try_with(|within| within.borrow_mut().push(Arc::clone(&self.0)));
    }
}

impl After {
    fn leave() {
        let _ = WITHIN.try_with(|within| within.borrow_mut().pop());
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Before {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.enter();
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        self.enter();
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.enter();
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for After {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        Self::leave();
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        Self::leave();
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        Self::leave();
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if is_machinery(event.metadata().target()) {
            return;
        }
        let line = LogLine::read(event);
        let mut logs = self.0.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.push(line);
    }
}
