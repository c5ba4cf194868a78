//! The origin of a log event: its trace, span and tenant.

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

use crate::{
    tenant,
    trace::{native, tenant_of},
};

/// The origin of an event.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// The nearest span that is exported or counted.
    pub(super) span: Option<SpanContext>,
    /// The tenant of the nearest span that has one.
    pub(super) tenant: Option<Arc<str>>,
}

/// Finds the origin of events, even in spans that `RUST_LOG` disables.
///
/// The context of a layer contains only spans that the layer's filter enables, and a scoped subscriber is not accessible
/// while it dispatches an event. So a [layer](Self::layer) captures the subscriber when it is installed.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans(Arc<OnceLock<WeakDispatch>>);

impl Spans {
    /// Returns the layer that captures the subscriber.
    pub(super) fn layer<S: Subscriber>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S> {
        CaptureDispatch(self.clone())
    }

    /// Returns the origin of an event that is being dispatched. Without a captured subscriber, the tenant is that of
    /// the `visible` spans, those that the layer's filter enables.
    pub(super) fn origin<S>(&self, event: &Event<'_>, visible: Option<Scope<'_, S>>) -> Origin
    where
        S: for<'span> LookupSpan<'span>,
    {
        // The OpenTelemetry crates log while they hold locks that the lookup takes.
        if event.metadata().target().starts_with("opentelemetry") {
            return Origin::default();
        }
        let dispatch = self.dispatch();
        Origin {
            span: self.context(&dispatch, event),
            tenant: tenant::find_around(&dispatch, event, tenant_of)
                .or_else(|| visible?.find_map(|span| tenant_of(&span))),
        }
    }

    /// Returns the context of the event's span. The lookup may start the parent span of the event.
    fn context(&self, dispatch: &Dispatch, event: &Event<'_>) -> Option<SpanContext> {
        let valid = |context: &Context| {
            let span = context.span().span_context().clone();
            span.is_valid().then_some(span)
        };
        match event.parent() {
            Some(_) => tenant::find_around(dispatch, event, |span| {
                valid(&native::context_in(dispatch, &span.id())?)
            }),
            None if event.is_contextual() => Context::map_current(valid),
            None => None,
        }
    }

    fn dispatch(&self) -> Dispatch {
        let captured = self.0.get().and_then(WeakDispatch::upgrade);
        captured.unwrap_or_else(|| dispatcher::get_default(Dispatch::clone))
    }
}

struct CaptureDispatch(Spans);

impl<S: Subscriber> Layer<S> for CaptureDispatch {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        // A layer belongs to a single subscriber.
        let _ = self.0.0.set(dispatch.downgrade());
    }
}
