//! A filtered layer without look-ups that change nothing.

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

/// A layer that does nothing with spans which it does not know, behind its filter.
///
/// `tracing-subscriber` looks a span up in the registry to learn whether a filter has let it through, at every enter, exit
/// and close, and for every filter. A future enters each of its spans whenever it is polled, so that this is most of what
/// a span costs in a layer that has nothing to do then. Here the layer is asked at once.
///
/// The filter must be one that forgets nothing by it: without an `on_enter`, `on_exit` and `on_close` of its own.
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

    fn on_layer(&mut self, subscriber: &mut S) {
        self.0.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.0.enabled(metadata, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.0.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.0.on_record(id, values, context);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        self.0.on_follows_from(id, follows, context);
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        self.0.event_enabled(event, context)
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.0.on_event(event, context);
    }

    fn on_id_change(&self, old: &Id, new: &Id, context: Context<'_, S>) {
        self.0.on_id_change(old, new, context);
    }

    // The registry learns from this that here is a filter of one layer, which hides nothing from others.
    #[allow(unsafe_code, reason = "the method is unsafe")]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        // SAFETY: the pointer is to be to a value of the type `id` that lives as long as `self` and stays where it is. The
        // filtered layer gives one to itself or to a part of it, for as long as it lives; it is a field of `self`, never
        // replaced. The caller's obligations are passed on unchanged.
        unsafe { self.0.downcast_raw(id) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Remembers what it was told.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<String>>>);

    impl Seen {
        fn note(&self, what: &str, name: &str) {
            let mut seen = self.0.lock().expect("no panic");
            seen.push(format!("{what} {name}"));
        }

        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().expect("no panic"))
        }
    }

    impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Seen {
        fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
            let around = context.span(id).and_then(|span| span.parent());
            self.note("new", attributes.metadata().name());
            if let Some(around) = around {
                self.note("in", around.name());
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
        tracing::info!("wanted");
        tracing::debug!("hidden");
    }

    #[test]
    fn new_spans_and_events_are_filtered_and_the_rest_is_not_asked() {
        let seen = Seen::default();
        let sparing = UnfilteredLifecycle::new(seen.clone(), LevelFilter::INFO);
        // Somebody wants the hidden ones.
        let others = Seen::default();
        let subscriber = tracing_subscriber::registry().with(sparing);
        let subscriber = subscriber.with(others.clone().with_filter(LevelFilter::DEBUG));
        with_default(subscriber, work);
        let mut expected = vec!["new outer", "enter ", "enter ", "new inner", "in outer"];
        expected.extend(["enter ", "event INFO"]);
        expected.extend(["exit ", "close "].repeat(3));
        assert_eq!(seen.take(), expected);
        assert!(others.take().contains(&"event DEBUG".to_owned()));
    }

    #[test]
    fn the_layer_within_is_found() {
        let sparing = UnfilteredLifecycle::new(Seen::default(), LevelFilter::INFO);
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(sparing));
        assert!(dispatch.downcast_ref::<Seen>().is_some());
    }
}
