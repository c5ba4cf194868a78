//! The context of an event that is handled later or in another process.

use std::collections::{BTreeMap, btree_map::Entry};

use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::TraceContextExt,
};
use tracing::Span;

use super::{carried_tenant, carrier, extract, inject, inject_context, set_parent};
use crate::{
    tenant::{self, Tenant},
    trace::native,
};

/// The trace context, baggage and tenant of an event's publisher, to be stored with the event.
///
/// ```
/// use rustok_telemetry::propagation::EventContext;
///
/// struct Event { name: &'static str, context: EventContext }
///
/// let event = Event { name: "ProductCreated", context: EventContext::current() };
/// // In the handler:
/// let span = tracing::info_span!(parent: None, "handle_event", event = event.name, tenant_id = tracing::field::Empty);
/// event.context.follow(&span);
/// let _entered = span.enter();
/// ```
///
/// Between processes, put the [entries](Self::entries) into the message's headers, and read them with
/// [`from_entries`](Self::from_entries) or [`from_byte_headers`](Self::from_byte_headers):
///
/// ```
/// use rustok_telemetry::propagation::EventContext;
///
/// // The headers of a Kafka record, for example.
/// type Headers = Vec<(String, Vec<u8>)>;
///
/// fn headers() -> Headers {
///     let context = EventContext::current().send_tenant();
///     let bytes = |(key, value): (&str, &str)| (key.to_owned(), value.as_bytes().to_vec());
///     context.entries().map(bytes).collect()
/// }
///
/// fn received(headers: &Headers) -> EventContext {
///     let headers = headers.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
///     EventContext::from_byte_headers(headers).trust_tenant() // only internal services write to this topic
/// }
/// # received(&headers());
/// ```
///
/// # Serde
///
/// With the Cargo feature `serde` it serializes as a map of its entries, for example into an outbox table. Like the
/// entries, the map contains the tenant only after [`send_tenant`](Self::send_tenant).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventContext {
    entries: BTreeMap<String, String>,
    /// Separate from the entries, so that it stays within the process.
    tenant: Option<Tenant>,
}

impl EventContext {
    /// Returns the context of the current span, and its [tenant](crate::tenant).
    pub fn current() -> Self {
        let mut context = Self {
            entries: BTreeMap::new(),
            tenant: tenant::current(),
        };
        inject(&mut context);
        context
    }

    /// Reads a context from the headers of a message.
    ///
    /// Names are case-insensitive, and the values of a repeated name are joined with commas, as in HTTP. Unrelated
    /// headers are allowed. A tenant in the headers is accepted only by [`trust_tenant`](Self::trust_tenant).
    pub fn from_entries<K, V>(entries: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<str>,
        V: Into<String>,
    {
        let mut context = Self::default();
        for (key, value) in entries {
            context.append(key.as_ref(), value.into());
        }
        context
    }

    /// Reads a context from headers with byte values, such as those of Kafka.
    ///
    /// Values that are not UTF-8 are skipped. If such a header is repeated, U+FFFD replaces the value, so that the
    /// header still counts as repeated.
    pub fn from_byte_headers<'headers>(
        headers: impl IntoIterator<Item = (&'headers str, &'headers [u8])>,
    ) -> Self {
        let mut context = Self::default();
        let mut unreadable = Vec::new();
        for (key, value) in headers {
            match str::from_utf8(value) {
                Ok(value) => context.append(key, value.to_owned()),
                Err(_) => unreadable.push(key),
            }
        }
        for key in unreadable {
            if context.get(key).is_some() {
                context.append(key, char::REPLACEMENT_CHARACTER.to_string());
            }
        }
        context
    }

    /// Returns the headers that carry the context.
    ///
    /// Those of the [current](Self::current) context contain the tenant only after [`send_tenant`](Self::send_tenant).
    /// Those that were [received](Self::from_entries) are unchanged.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Adds the publisher's tenant to the [entries](Self::entries), as the baggage entry `tenant_id`. For messages to
    /// internal services: every receiver can read it.
    ///
    /// Needs a format with baggage: `baggage` or `jaeger` in `OTEL_PROPAGATORS`. A tenant that is
    /// [not valid](super#trust) is not added.
    #[must_use = "the returned context has the tenant, not the original"]
    pub fn send_tenant(mut self) -> Self {
        let context =
            carried_tenant::send(&extract(&self), self.tenant.as_ref().map(Tenant::as_str));
        // Removes entries that the propagators no longer inject, such as an empty baggage.
        global::get_text_map_propagator(|propagator| {
            for field in propagator.fields() {
                self.entries.remove(field);
            }
        });
        inject_context(&context, &mut self);
        self
    }

    /// Accepts the tenant in the [entries](Self::from_entries). Only for messages from internal services: metrics,
    /// spans and logs are attributed to this tenant. See [trust](super#trust).
    #[must_use = "the returned context has the tenant, not the original"]
    pub fn trust_tenant(mut self) -> Self {
        if let Some(named) = carried_tenant::named_in(&extract(&self)) {
            self.tenant = Some(named.into());
        }
        self
    }

    /// Returns the publisher's tenant, if it is known and was accepted.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// Makes `span` a child of the publisher's span, and sets the publisher's tenant on it. Call this before the span
    /// is first entered, see [`set_parent`].
    ///
    /// Span metrics have the tenant only if the span declares the field `tenant_id`. A value that the field already has
    /// is kept. [`tenant::set`] replaces it on every signal.
    pub fn follow(&self, span: &Span) {
        set_parent(span, extract(self));
        tenant::set_default_on(span, self.tenant.as_ref().map(Tenant::as_str));
    }

    /// Links `span` to the publisher's span instead of making it a child: for a span that handles a batch. See
    /// [`link`](super::link()).
    pub fn link(&self, span: &Span) {
        // An invalid span context adds no link.
        native::add_link(span, extract(self).span().span_context().clone());
    }

    fn append(&mut self, key: &str, value: String) {
        match self.entries.entry(key.to_ascii_lowercase()) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => entry.get_mut().extend([",", value.as_str()]),
        }
    }
}

impl Injector for EventContext {
    fn set(&mut self, key: &str, value: String) {
        self.entries.insert(key.to_ascii_lowercase(), value);
    }
}

impl Extractor for EventContext {
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.entries.get(&key.to_ascii_lowercase());
        value
            .map(String::as_str)
            .or_else(|| carrier::none_repeated(key))
    }

    fn keys(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }
}
