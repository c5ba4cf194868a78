//! A filtered layer without the filter's span lookups at enter, exit and close.

use std::any::TypeId;

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    metadata::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    filter::Filtered,
    layer::{Context, Filter, Layer},
    registry::LookupSpan,
};

use super::forward::forward_to;

/// Filters new spans, records and events, and passes on every enter, exit and close unfiltered.
///
/// At every enter, exit and close, `tracing-subscriber` looks the span up in the registry for each filter. A future
/// enters its spans at every poll, so the lookups dominate the cost of a layer that ignores enter and exit.
///
/// The layer must ignore spans that it does not know, and the filter must not implement `on_enter`, `on_exit` or
/// `on_close`.
pub(crate) struct UnfilteredLifecycle<L, F, S>(Filtered<L, F, S>);

impl<L, F, S> UnfilteredLifecycle<L, F, S> {
    pub(crate) fn new(layer: L, filter: F) -> Self {
        Self(Filtered::new(layer, filter))
    }
}

impl<S, L, F> Layer<S> for UnfilteredLifecycle<L, F, S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    L: Layer<S>,
    F: Filter<S> + 'static,
{
    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.0.inner().on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.0.inner().on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.0.inner().on_close(id, context);
    }

    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.0.on_register_dispatch(dispatch);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.0.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.0.on_record(id, values, context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.0.on_event(event, context);
    }

    // The registry downcasts to `Filtered` to learn that there is a per-layer filter.
    forward_to!(0);
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Records the calls of its methods.
    #[derive(Clone, Default)]
    struct Calls(Arc<Mutex<Vec<String>>>);

    impl Calls {
        fn note(&self, method: &str, name: &str) {
            let mut calls = self.0.lock().expect("no panic");
            calls.push(format!("{method} {name}"));
        }

        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().expect("no panic"))
        }
    }

    impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Calls {
        fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
            let parent = context.span(id).and_then(|span| span.parent());
            self.note("new", attributes.metadata().name());
            if let Some(parent) = parent {
                self.note("in", parent.name());
            }
        }

        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.note("event", event.metadata().level().as_str());
        }

        fn on_enter(&self, _: &Id, _: Context<'_, S>) {
            self.note("enter", "");
        }

        fn on_exit(&self, _: &Id, _: Context<'_, S>) {
            self.note("exit", "");
        }

        fn on_close(&self, _: Id, _: Context<'_, S>) {
            self.note("close", "");
        }
    }

    fn work() {
        let _outer = tracing::info_span!("outer").entered();
        let _hidden = tracing::debug_span!("hidden").entered();
        let _inner = tracing::info_span!("inner").entered();
        tracing::info!("visible");
        tracing::debug!("hidden");
    }

    #[test]
    fn only_new_spans_and_events_are_filtered() {
        let calls = Calls::default();
        let layer = UnfilteredLifecycle::new(calls.clone(), LevelFilter::INFO);
        // Another layer enables the hidden span and event.
        let others = Calls::default();
        let subscriber = tracing_subscriber::registry().with(layer);
        let subscriber = subscriber.with(others.clone().with_filter(LevelFilter::DEBUG));
        with_default(subscriber, work);
        let mut expected = vec!["new outer", "enter ", "enter ", "new inner", "in outer"];
        expected.extend(["enter ", "event INFO"]);
        expected.extend(["exit ", "close "].repeat(3));
        assert_eq!(calls.take(), expected);
        assert!(others.take().contains(&"event DEBUG".to_owned()));
    }

    #[test]
    fn the_inner_layer_can_be_downcast() {
        let layer = UnfilteredLifecycle::new(Calls::default(), LevelFilter::INFO);
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        assert!(dispatch.downcast_ref::<Calls>().is_some());
    }
}
