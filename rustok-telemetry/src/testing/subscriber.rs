//! The subscriber of a capture: the layers of a service, which record into the capture on whatever thread they are
//! called.

use std::sync::{Arc, PoisonError};

use tracing::{
    Dispatch, Event, Level, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

use super::{InSink, LogLine, Sink};
use crate::trace::{Machinery, SpanFilter, is_machinery};

pub(super) fn dispatch(sink: &Arc<Sink>, span_level: Level) -> Dispatch {
    let spans = SpanFilter::new(span_level, Machinery::default()).layer(&sink.tracer_provider);
    let subscriber = tracing_subscriber::registry()
        .with(Before(Arc::clone(sink)))
        .with(spans)
        .with(After(Arc::clone(sink)));
    Dispatch::new(subscriber)
}

/// Layers are called in their order: this one is the first, and lets the others record into the capture.
struct Before(Arc<Sink>);

/// This one is the last, and ends that.
struct After(Arc<Sink>);

impl Before {
    fn enter(&self) {
        // `After` takes it away; a panic in between is the end of a test.
        std::mem::forget(InSink::enter(Arc::clone(&self.0)));
    }
}

impl After {
    fn leave() {
        drop(InSink::entered());
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
