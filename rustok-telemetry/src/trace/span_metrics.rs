//! The layer that counts spans. What it counts is told in the [module's documentation](super).

use std::{sync::Arc, thread, time::Instant};

use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::{LookupSpan, SpanRef},
};

use super::{is_machinery, visitor::Fields};
use crate::metrics;

/// Label value of a panic.
const PANIC: &str = "panic";

/// Label value of an error of which no type is known.
const ERROR: &str = "error";

/// Derives metrics from spans. A part of [`Telemetry::layer`](crate::Telemetry::layer).
#[derive(Debug)]
pub(crate) struct SpanMetricsLayer;

/// The tenant of a span that is counted: its own, or the one that it inherited.
pub(crate) fn tenant_of<R>(span: &SpanRef<'_, R>) -> Option<Arc<str>>
where
    R: for<'span> LookupSpan<'span>,
{
    span.extensions().get::<SpanState>()?.tenant.clone()
}

/// Whether a span has a tenant that it did not inherit.
pub(crate) fn has_own_tenant<R>(span: &SpanRef<'_, R>) -> bool
where
    R: for<'span> LookupSpan<'span>,
{
    let extensions = span.extensions();
    extensions
        .get::<SpanState>()
        .is_some_and(|state| state.own_tenant)
}

/// Whether a span is counted, so that it can have a tenant.
pub(crate) fn has_tenant_state<R>(span: &SpanRef<'_, R>) -> bool
where
    R: for<'span> LookupSpan<'span>,
{
    span.extensions().get::<SpanState>().is_some()
}

/// What the layer remembers of an open span.
struct SpanState {
    started: Instant,
    /// The span's own tenant, else the nearest ancestor's.
    tenant: Option<Arc<str>>,
    /// Whether the tenant is the span's own.
    own_tenant: bool,
    /// Whether the creation has been counted; it waits for a declared tenant.
    counted: bool,
    failed: bool,
    error_type: Option<Box<str>>,
    panicked: bool,
    cancelled: bool,
    /// The span was entered by a destructor while the thread was unwinding already.
    entered_in_panic: bool,
}

impl<S> Layer<S> for SpanMetricsLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if is_machinery(attributes.metadata().target()) {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let own_tenant = fields.tenant_id.is_some();
        let waits = !own_tenant && declares_tenant(attributes.metadata());
        let tenant = fields
            .tenant_id
            .take()
            .or_else(|| span.scope().skip(1).find_map(|around| tenant_of(&around)));
        let mut state = SpanState {
            started: Instant::now(),
            tenant,
            own_tenant,
            counted: false,
            failed: false,
            error_type: None,
            panicked: false,
            cancelled: false,
            entered_in_panic: false,
        };
        state.take(fields);
        if !waits {
            state.count_creation(attributes.metadata().name());
        }
        // Not `insert`, which panics where there is one already: the layer may have been added twice.
        span.extensions_mut().replace(state);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        let tenant = fields.tenant_id.take();
        let first_tenant = {
            let mut extensions = span.extensions_mut();
            let Some(state) = extensions.get_mut::<SpanState>() else {
                return;
            };
            state.take(fields);
            state.own_tenant |= tenant.is_some();
            state.tenant = tenant.clone().or(state.tenant.take());
            tenant.filter(|_| !std::mem::replace(&mut state.counted, true))
        };
        // Not while the span's extensions are locked: binding a new series may log, and logging reads them.
        if let Some(tenant) = first_tenant {
            metrics::record_span_created(span.name(), &tenant);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if *event.metadata().level() != Level::ERROR || is_machinery(event.metadata().target()) {
            return;
        }
        let Some(span) = context.event_span(event) else {
            return;
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(state) = span.extensions_mut().get_mut::<SpanState>() {
            state.failed = true;
            if state.error_type.is_none() {
                state.error_type = fields.error_type;
            }
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if thread::panicking() {
            with_state(id, &context, |state| state.entered_in_panic = true);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if thread::panicking() {
            with_state(id, &context, |state| {
                state.panicked |= !state.entered_in_panic;
                state.entered_in_panic = false;
            });
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(mut state) = span.extensions_mut().remove::<SpanState>() else {
            return;
        };
        let operation = span.name();
        state.count_creation(operation);
        metrics::record_span_duration(operation, state.started.elapsed().as_secs_f64());
        if state.cancelled {
            metrics::record_span_cancelled(operation);
        } else if let Some(error_type) = state.error() {
            metrics::record_span_error(operation, error_type);
        }
    }
}

impl SpanState {
    fn take(&mut self, fields: Fields) {
        self.cancelled |= fields.cancelled;
        self.failed |= fields.status_is_error || fields.error_type.is_some();
        if fields.error_type.is_some() {
            self.error_type = fields.error_type;
        }
    }

    fn count_creation(&mut self, operation: &str) {
        if !self.counted {
            self.counted = true;
            metrics::record_span_created(
                operation,
                self.tenant.as_deref().unwrap_or(metrics::NONE),
            );
        }
    }

    /// The type of the error that the span ended in, if it did.
    fn error(&self) -> Option<&str> {
        match &self.error_type {
            Some(error_type) if self.failed || self.panicked => Some(error_type),
            _ if self.panicked => Some(PANIC),
            _ if self.failed => Some(ERROR),
            _ => None,
        }
    }
}

fn declares_tenant(metadata: &Metadata<'_>) -> bool {
    metadata.fields().field("tenant_id").is_some()
}

fn with_state<S>(id: &Id, context: &Context<'_, S>, change: impl FnOnce(&mut SpanState))
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if let Some(span) = context.span(id)
        && let Some(state) = span.extensions_mut().get_mut::<SpanState>()
    {
        change(state);
    }
}
