//! What an event carries for telemetry.

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

/// What an event carries, so that its handling belongs to its publisher: type, tenant, time, and the context of the
/// trace. A field of your event. A clone is cheap.
///
/// ```
/// use rustok_telemetry::event_bus::EventMetadata;
///
/// struct ProductCreated { metadata: EventMetadata, sku: String }
///
/// let metadata = EventMetadata::now("ProductCreated");
/// let event = ProductCreated { metadata, sku: "TEA".to_owned() };
/// assert_eq!(event.metadata.event_type(), "ProductCreated");
/// ```
///
/// [`publish`](super::publish) makes it within the span of the publication.
///
/// # Across processes
///
/// Send the parts, and put them together again. What the message says of its tenant is for you to believe or not:
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
/// // … in the other process:
/// let context = EventContext::from_entries(headers);
/// let received = EventMetadata::from_parts("ProductCreated", SystemTime::UNIX_EPOCH + at, context)
///     .with_tenant("acme");
/// assert_eq!(received, sent);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMetadata {
    // Events are moved and cloned a lot, and come back in errors when a queue is full.
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
    /// Metadata of an event that is published now, within the current span and for its [tenant](crate::tenant).
    ///
    /// The type becomes a label: `ProductCreated`, and nothing that differs from one event to the next.
    pub fn now(event_type: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Parts {
            event_type: event_type.into(),
            id: None,
            tenant: tenant::current(),
            published_at: SystemTime::now(),
            context: EventContext::current(),
        })
    }

    /// Metadata of an event that comes from elsewhere. It has no tenant and no id until it is given one.
    pub fn from_parts(
        event_type: impl Into<Cow<'static, str>>,
        published_at: SystemTime,
        context: EventContext,
    ) -> Self {
        Self::new(Parts {
            event_type: event_type.into(),
            id: None,
            tenant: None,
            published_at,
            context,
        })
    }

    /// Says for which tenant the event is handled.
    #[must_use]
    pub fn with_tenant(mut self, tenant: &str) -> Self {
        Arc::make_mut(&mut self.parts).tenant = Some(Tenant::from(tenant));
        self
    }

    /// Gives the event an id, which the spans of its handling carry as `messaging.message.id`.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.parts).id = Some(id.into());
        self
    }

    /// The event's type, as in the metrics.
    pub fn event_type(&self) -> &str {
        &self.parts.event_type
    }

    /// The event's id, if it was given one.
    pub fn id(&self) -> Option<&str> {
        self.parts.id.as_deref()
    }

    /// The tenant that the event was published for.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.parts.tenant.as_ref()
    }

    /// When the event was published, by the clock of its publisher.
    pub fn published_at(&self) -> SystemTime {
        self.parts.published_at
    }

    /// The context of the publisher.
    pub fn context(&self) -> &EventContext {
        &self.parts.context
    }

    /// Records in `rustok_event_bus_lag_seconds` how long ago the event was published, and tells it.
    ///
    /// To be called once for an event, when it is taken from the queue, however many handlers there are. Where the
    /// publisher's clock is ahead of ours, the lag is zero.
    pub fn received(&self) -> Duration {
        let lag = self.published_at().elapsed().unwrap_or_default();
        metrics::record_event_lag(self.event_type(), lag.as_secs_f64());
        lag
    }

    fn new(parts: Parts) -> Self {
        let parts = Arc::new(parts);
        Self { parts }
    }
}
