//! The tenant of the current span.
//!
//! A span has a tenant if its field `tenant_id` has a value. `#[instrument(tenant_id = …)]` sets the field, and [`set`]
//! sets it during a request, for example after authentication. Child spans inherit the tenant: it is the attribute
//! `tenant_id` of exported spans, a label of `rustok_spans_created_total`, and a field of log lines. [`current`]
//! returns it, and [`label`] returns it as a label value.
//!
//! ```
//! use rustok_telemetry::{metrics, tenant};
//!
//! async fn authenticate(token: &str) {
//!     let tenant = "acme"; // read from the token
//!     tenant::set(tenant);
//! }
//!
//! fn publish(event_type: &str) {
//!     metrics::record_event_published(event_type, &tenant::label());
//! }
//! ```
//!
//! [`task::spawn`](crate::task::spawn) and [`EventContext`](crate::propagation::EventContext) propagate the tenant to
//! work outside of the span. A tenant in the caller's baggage is ignored unless the service trusts the caller, and
//! [`set`] overrides it. See [trust](crate::propagation#trust).

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

/// Returns the tenant of the current span: its own, otherwise that of its nearest ancestor with a tenant.
///
/// Returns `None` unless the subscriber was installed by [`init`](crate::init()) or has
/// [`Telemetry::layer`](crate::Telemetry::layer).
pub fn current() -> Option<Tenant> {
    dispatcher::get_default(|dispatch| find(dispatch, tenant_of)).map(Tenant)
}

/// Returns the id of the [current] tenant as a label value, or [`NONE`] without a tenant.
pub fn label() -> Arc<str> {
    static NO_TENANT: LazyLock<Arc<str>> = LazyLock::new(|| NONE.into());
    current().map_or_else(|| Arc::clone(&NO_TENANT), |tenant| tenant.0)
}

/// Sets the tenant of the current work, and of spans that start within it from now on.
///
/// Sets it on the nearest span that declares the field `tenant_id`, such as that of an [HTTP request](crate::http), or
/// on the current span if none does. So a function that authenticates may have its own span. Spans between the two get
/// the tenant too. It replaces a tenant that was received from a caller or an event, on every signal. Spans that have
/// already been counted keep their tenant label.
pub fn set(tenant: &str) {
    dispatcher::get_default(|dispatch| {
        // A reloadable layer hides the span metrics layer. Then every span counts.
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

/// Sets the tenant of `span` unless it has its own. [`set`] overrides it. Unlike [`tracing::Span::record`], this works
/// for spans that do not declare the field.
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

/// The id of a tenant. Cloning it is cheap.
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

/// Calls `ask` for the current span and its ancestors until it returns a value. Layer filters hide no span.
pub(crate) fn find<T>(
    dispatch: &Dispatch,
    ask: impl Fn(&SpanRef<'_, Registry>) -> Option<T>,
) -> Option<T> {
    find_from(dispatch, dispatch.current_span().id()?, ask)
}

/// Like [`find`], starting at the parent of a `tracing` event.
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

/// Replaces the inherited tenant of the spans from the current one up to `outer`.
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
