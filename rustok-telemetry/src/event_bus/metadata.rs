//! The metadata of an event.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    metrics,
    propagation::EventContext,
    tenant::{self, Tenant},
};

/// Type, tenant, time and trace context of an event, to be stored as a field of the event. Cloning it is cheap.
/// [`publish`](super::publish) creates it within the span of the publication.
///
/// # Across processes
///
/// Send the parts, and assemble them again. Set the tenant only if you trust the sender:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use rustok_telemetry::{event_bus::EventMetadata, propagation::EventContext};
///
/// let sent = EventMetadata::now("ProductCreated").with_tenant("acme");
/// let headers: Vec<(String, String)> = sent
///     .context()
///     .entries()
///     .map(|(name, value)| (name.to_owned(), value.to_owned()))
///     .collect();
/// let at = sent.published_at().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
/// // In the other process:
/// let context = EventContext::from_entries(headers);
/// let received = EventMetadata::from_parts("ProductCreated", SystemTime::UNIX_EPOCH + at, context)
///     .with_tenant("acme");
/// assert_eq!(received, sent);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct EventMetadata {
    // Small and cheap to clone, because events are moved often, and returned in the error of a full queue.
    parts: Arc<Parts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    event_type: Cow<'static, str>,
    id: Option<String>,
    tenant: Option<Tenant>,
    published_at: SystemTime,
    context: EventContext,
}

impl EventMetadata {
    /// Creates the metadata of an event that is published now, with the context of the current span and its
    /// [tenant](crate::tenant).
    ///
    /// The type is a label, such as `ProductCreated`: use few.
    pub fn now(event_type: impl Into<Cow<'static, str>>) -> Self {
        let mut metadata = Self::from_parts(event_type, SystemTime::now(), EventContext::current());
        Arc::make_mut(&mut metadata.parts).tenant = tenant::current();
        metadata
    }

    /// Creates the metadata of an event from another process, without tenant and id.
    pub fn from_parts(
        event_type: impl Into<Cow<'static, str>>,
        published_at: SystemTime,
        context: EventContext,
    ) -> Self {
        let parts = Arc::new(Parts {
            event_type: event_type.into(),
            id: None,
            tenant: None,
            published_at,
            context,
        });
        Self { parts }
    }

    /// Sets the tenant of the event.
    pub fn with_tenant(mut self, tenant: &str) -> Self {
        Arc::make_mut(&mut self.parts).tenant = Some(Tenant::from(tenant));
        self
    }

    /// Sets the id of the event: the attribute `messaging.message.id` of the handlers' spans.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.parts).id = Some(id.into());
        self
    }

    /// Returns the event type.
    pub fn event_type(&self) -> &str {
        &self.parts.event_type
    }

    /// Returns the event's id, if it is set.
    pub fn id(&self) -> Option<&str> {
        self.parts.id.as_deref()
    }

    /// Returns the tenant of the event.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.parts.tenant.as_ref()
    }

    /// Returns the time of publication, by the publisher's clock.
    pub fn published_at(&self) -> SystemTime {
        self.parts.published_at
    }

    /// Returns the context of the publisher.
    pub fn context(&self) -> &EventContext {
        &self.parts.context
    }

    /// Records the time since publication in `rustok_event_bus_lag_seconds`, and returns it.
    ///
    /// Call this once per event when it is taken from the queue, not once per handler. The lag is zero if the
    /// publisher's clock is ahead.
    pub fn received(&self) -> Duration {
        let lag = self.published_at().elapsed().unwrap_or_default();
        metrics::record_event_lag(self.event_type(), lag.as_secs_f64());
        lag
    }
}
