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
    use tracing_subscriber::layer::SubscriberExt;

    use super::{super::SpanMetricsLayer, *};

    #[test]
    fn the_inner_layer_can_be_downcast() {
        let layer = UnfilteredLifecycle::new(SpanMetricsLayer::new(), LevelFilter::INFO);
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        assert!(dispatch.downcast_ref::<SpanMetricsLayer>().is_some());
    }
}
