//! Where a log event belongs: its trace, its span and its tenant.

use std::sync::{Arc, OnceLock};

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt},
};
use tracing::{Dispatch, Event, Subscriber, dispatcher, dispatcher::WeakDispatch};
use tracing_subscriber::{
    Layer,
    registry::{LookupSpan, Scope},
};

use crate::{tenant, trace::tenant_of};

/// Where an event belongs, as far as that is known.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// The trace, and the nearest span of it that is exported or counted.
    pub(super) span: Option<SpanContext>,
    /// The tenant of the nearest span that has one.
    pub(super) tenant: Option<Arc<str>>,
}

/// Finds where events belong, whatever spans `RUST_LOG` hides.
///
/// The context that a layer gets shows it no spans but those that its own filter wants, and while an event is
/// dispatched a subscriber that is not that of the whole process cannot be asked for. So the subscriber is remembered
/// from its start, by a [layer](Self::layer) of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans(Arc<OnceLock<WeakDispatch>>);

impl Spans {
    /// The layer that learns which subscriber it is in. It does nothing else.
    pub(super) fn layer<S: Subscriber>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S> {
        CaptureDispatch(self.clone())
    }

    /// Where `event`, which is being dispatched now, belongs. `visible` are the spans around it that the layer's filter
    /// wants; they are asked if the subscriber cannot be.
    pub(super) fn origin<S>(&self, event: &Event<'_>, visible: Option<Scope<'_, S>>) -> Origin
    where
        S: for<'span> LookupSpan<'span>,
    {
        // The OpenTelemetry crates log while they hold what would be asked here.
        if event.metadata().target().starts_with("opentelemetry") {
            return Origin::default();
        }
        let dispatch = self.dispatch();
        Origin {
            span: self.context(&dispatch, event),
            tenant: tenant::of_event(&dispatch, event)
                .or_else(|| visible?.find_map(|span| tenant_of(&span))),
        }
    }

    /// The context of the span that the event belongs to. It may be for an event to start its parent.
    fn context(&self, dispatch: &Dispatch, event: &Event<'_>) -> Option<SpanContext> {
        let valid = |context: &Context| {
            let span = context.span().span_context().clone();
            span.is_valid().then_some(span)
        };
        match event.parent() {
            Some(_) => tenant::find_around(dispatch, event, |span| {
                valid(&tracing_opentelemetry::get_otel_context(
                    &span.id(),
                    dispatch,
                )?)
            }),
            None if event.is_contextual() => Context::map_current(valid),
            None => None,
        }
    }

    fn dispatch(&self) -> Dispatch {
        let remembered = self.0.get().and_then(WeakDispatch::upgrade);
        remembered.unwrap_or_else(|| dispatcher::get_default(Dispatch::clone))
    }
}

struct CaptureDispatch(Spans);

impl<S: Subscriber> Layer<S> for CaptureDispatch {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        // A layer is in one subscriber only.
        let _ = self.0.0.set(dispatch.downgrade());
    }
}
