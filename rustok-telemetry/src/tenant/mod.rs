//! The tenant of the current span.
//!
//! A span has a tenant when its field `tenant_id` has a value. `#[instrument(tenant_id = …)]` sets the field; a service
//! that learns the tenant in the middle of a request calls [`set`]. Child spans inherit the tenant: it is their
//! attribute `tenant_id` in traces, their label in `rustok_spans_created_total`, and part of the log lines within them.
//! [`current`] returns it, and [`label`] returns it as a label value.
//!
//! ```
//! use rustok_telemetry::{metrics, tenant};
//!
//! async fn authenticate(token: &str) {
//!     let tenant = "acme"; // what the token says
//!     tenant::set(tenant);
//! }
//!
//! fn publish(event_type: &str) {
//!     metrics::record_event_published(event_type, &tenant::label());
//! }
//! ```
//!
//! Work that leaves the span takes its tenant along with [`task::spawn`](crate::task::spawn) and
//! [`EventContext`](crate::propagation::EventContext). What a caller writes into its baggage is a claim, which is never
//! believed unless the service says so, and which [`set`] overrules: see [who decides](crate::propagation#trust).

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use tracing::{Dispatch, Event, dispatcher, span::Id};
use tracing_subscriber::{
    Registry,
    registry::{LookupSpan, SpanRef},
};

pub use crate::trace::TENANT_ID;

use crate::{
    LabelValue,
    metrics::NONE,
    trace::{
        SpanMetricsLayer, as_claim, has_own_tenant,
        recorded::{Recordable, Recorded},
        tenant_of, with_tenant_record,
    },
};

/// Returns the tenant of the current span: its own, else that of its nearest ancestor that has one.
///
/// It is `None` without a subscriber from [`init`](crate::init()) or with
/// [`Telemetry::layer`](crate::Telemetry::layer).
pub fn current() -> Option<Tenant> {
    dispatcher::get_default(|dispatch| find(dispatch, tenant_of)).map(Tenant)
}

/// Returns the id of the [current] tenant as a label value, or [`NONE`] without a tenant.
pub fn label() -> Arc<str> {
    static NO_TENANT: LazyLock<Arc<str>> = LazyLock::new(|| NONE.into());
    current().map_or_else(|| Arc::clone(&NO_TENANT), |tenant| tenant.0)
}

/// Says that the present work, and what begins within it from now on, is done for this tenant.
///
/// The tenant becomes that of the nearest span which declares the field `tenant_id`, as the span of an
/// [HTTP request](crate::http) does, so that a function that authenticates may have a span of its own; where none does,
/// that of the current span. Spans between the two follow it. It takes the place of a tenant that a caller or an event
/// brought along, on every signal. Other spans that have begun already stay with what they were counted for.
pub fn set(tenant: &str) {
    dispatcher::get_default(|dispatch| {
        // Where a layer that can be exchanged hides it, every span counts.
        let layer = dispatch.downcast_ref::<SpanMetricsLayer>();
        let counts = |span: &Id| layer.is_none_or(|layer| layer.counts(span));
        let counted = |span: &SpanRef<'_, Registry>| Some(span.id()).filter(counts);
        let declares = |span: &SpanRef<'_, Registry>| {
            counted(span).filter(|_| span.metadata().fields().field(TENANT_ID).is_some())
        };
        if let Some(id) = find(dispatch, declares).or_else(|| find(dispatch, counted)) {
            record(dispatch, &id, tenant);
            replace_inherited_within(dispatch, &id, tenant);
        }
    });
}

/// The tenant of an event: that of the nearest span around it that has one.
pub(crate) fn of_event(dispatch: &Dispatch, event: &Event<'_>) -> Option<Arc<str>> {
    find_around(dispatch, event, tenant_of)
}

/// Makes this tenant that of `span` until [`set`] names another, unless it was given one of its own. Unlike
/// [`tracing::Span::record`] this works for spans that don't declare the field.
pub(crate) fn set_default_on(span: &tracing::Span, tenant: Option<&str>) {
    let Some(tenant) = tenant else { return };
    span.with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<Registry>();
        let span = registry.and_then(|registry| registry.span(id));
        if !span.is_some_and(|span| has_own_tenant(&span)) {
            as_claim(|| record(dispatch, id, tenant));
        }
    });
}

/// The id of a tenant. Cloning it copies no text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Tenant {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl AsRef<str> for Tenant {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Recordable for Tenant {
    fn recorded(&self) -> Recorded<'_> {
        Recorded::Text(self.as_str())
    }
}

impl LabelValue for Tenant {
    fn as_label(&self) -> &str {
        self.as_str()
    }
}

/// Asks the current span and those around it, none of them hidden by a layer's filter, until one answers.
pub(crate) fn find<T>(
    dispatch: &Dispatch,
    ask: impl Fn(&SpanRef<'_, Registry>) -> Option<T>,
) -> Option<T> {
    find_from(dispatch, dispatch.current_span().id()?, ask)
}

/// Like [`find`], for the spans that an event belongs to: those of its parent, if it names one.
pub(crate) fn find_around<T>(
    dispatch: &Dispatch,
    event: &Event<'_>,
    ask: impl Fn(&SpanRef<'_, Registry>) -> Option<T>,
) -> Option<T> {
    match event.parent() {
        Some(parent) => find_from(dispatch, parent, ask),
        None if event.is_contextual() => find(dispatch, ask),
        None => None,
    }
}

fn find_from<T>(
    dispatch: &Dispatch,
    span: &Id,
    ask: impl Fn(&SpanRef<'_, Registry>) -> Option<T>,
) -> Option<T> {
    let span = dispatch.downcast_ref::<Registry>()?.span(span)?;
    span.scope().find_map(|span| ask(&span))
}

/// Gives the tenant to the spans from the current one up to `outer` that have inherited another.
fn replace_inherited_within(dispatch: &Dispatch, outer: &Id, tenant: &str) {
    let registry = dispatch.downcast_ref::<Registry>();
    let current = dispatch.current_span();
    let current = registry.and_then(|registry| registry.span(current.id()?));
    let around = current.iter().flat_map(SpanRef::scope);
    for span in around.take_while(|span| span.id() != *outer) {
        if tenant_of(&span).is_some() && !has_own_tenant(&span) {
            record(dispatch, &span.id(), tenant);
        }
    }
}

fn record(dispatch: &Dispatch, span: &Id, tenant: &str) {
    with_tenant_record(tenant, |record| dispatch.record(span, record));
}
