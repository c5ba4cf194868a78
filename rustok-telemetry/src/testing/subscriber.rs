//! The subscriber of a capture: the layers of a service, which record into the capture on every thread.

use std::{
    cell::RefCell,
    sync::{Arc, OnceLock, PoisonError},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    dispatcher::{self, WeakDispatch},
    span::{Attributes, Id, Record},
    subscriber::NoSubscriber,
};
use tracing_subscriber::{
    Registry,
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

use super::{LogLine, Sink, open::Name};
use crate::trace::{ExporterTargets, SequentialClose, SpanFilter, is_exporter_target};

pub(super) fn dispatch(sink: &Arc<Sink>, span_level: Level) -> Dispatch {
    let spans =
        SpanFilter::new(span_level, ExporterTargets::default()).layer(&sink.tracer_provider);
    let subscriber = tracing_subscriber::registry()
        .with(Before {
            sink: Arc::clone(sink),
            span_level,
        })
        .with(spans)
        .with(After {
            sink: Arc::clone(sink),
            dispatch: OnceLock::new(),
        });
    Dispatch::new(SequentialClose::new(subscriber))
}

/// Returns the capture of a subscriber.
pub(super) fn of(dispatch: &Dispatch) -> Option<Arc<Sink>> {
    dispatch
        .downcast_ref::<Before>()
        .map(|layer| Arc::clone(&layer.sink))
}

/// Returns the spans that this thread has entered.
pub(super) fn entered(dispatch: &Dispatch) -> Vec<Id> {
    let registry = dispatch.downcast_ref::<Registry>();
    let current = dispatch.current_span();
    let innermost = current.id().and_then(|id| registry?.span(id));
    let scope = innermost.into_iter().flat_map(|span| span.scope());
    scope.map(|span| span.id()).collect()
}

/// Returns the capture whose layers are running on this thread. Within layers, `tracing` has no current subscriber.
pub(super) fn within() -> Option<Arc<Sink>> {
    // Thread locals are gone while a thread exits.
    let last = WITHIN.try_with(|within| within.try_borrow().ok()?.last().cloned());
    last.ok().flatten()
}

thread_local! {
    static WITHIN: RefCell<Vec<Arc<Sink>>> = const { RefCell::new(Vec::new()) };
}

/// The first layer, which makes the following layers record into the capture.
struct Before {
    sink: Arc<Sink>,
    span_level: Level,
}

/// The last layer, which ends what [`Before`] began.
struct After {
    sink: Arc<Sink>,
    dispatch: OnceLock<WeakDispatch>,
}

impl Before {
    fn enter(&self) {
        let _ = WITHIN.try_with(|within| within.borrow_mut().push(Arc::clone(&self.sink)));
    }

    fn enables(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.span_level && !is_exporter_target(metadata.target())
    }
}

impl After {
    fn leave() {
        let _ = WITHIN.try_with(|within| within.borrow_mut().pop());
    }

    /// Closes the parent reference of a closed span if the registry does not.
    ///
    /// tracing-subscriber 0.3.23 closes it through the thread's default subscriber instead of the span's. The parent would
    /// stay open on a thread without a default subscriber, such as a thread of sqlx, and on one that is calling a
    /// subscriber.
    fn release_parent<S>(&self, id: &Id, context: &Context<'_, S>)
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        if !dispatcher::get_default(Dispatch::is::<NoSubscriber>) {
            return;
        }
        let parent = context.span(id).and_then(|span| span.parent());
        let dispatch = self.dispatch.get().and_then(WeakDispatch::upgrade);
        if let (Some(parent), Some(dispatch)) = (parent, dispatch) {
            let id = parent.id();
            // A `SpanRef` keeps the span open, too.
            drop(parent);
            dispatch.try_close(id);
        }
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Before {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if self.enables(metadata) {
            let mut name = Name::new(metadata.name());
            attributes.record(&mut name);
            self.sink.open.insert(id, name);
        }
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
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        // A layer belongs to one subscriber.
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        Self::leave();
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        Self::leave();
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        Self::leave();
        self.sink.open.remove(&id);
        self.release_parent(&id, &context);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if is_exporter_target(event.metadata().target()) {
            return;
        }
        let line = LogLine::read(event);
        let mut logs = self
            .sink
            .logs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        logs.push(line);
    }
}
