//! The context of an event, which is handled later or elsewhere.

use std::collections::{BTreeMap, btree_map::Entry};

use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::TraceContextExt,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{carried_tenant, carrier, extract, inject, inject_context, set_parent};
use crate::tenant::{self, Tenant};

/// The context of an event's publisher, to be kept with the event's metadata.
///
/// ```
/// use rustok_telemetry::propagation::EventContext;
///
/// struct Event { name: &'static str, context: EventContext }
///
/// let event = Event { name: "ProductCreated", context: EventContext::current() };
/// // … behind the queue:
/// let span = tracing::info_span!("handle_event", event = event.name, tenant_id = tracing::field::Empty);
/// event.context.follow(&span);
/// let _entered = span.enter();
/// ```
///
/// Across processes, its [entries](Self::entries) go into the message's headers, and
/// [`from_entries`](Self::from_entries) or [`from_byte_headers`](Self::from_byte_headers) reads them back:
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
///     EventContext::from_byte_headers(headers).trust_tenant() // only our own services write to this topic
/// }
/// # received(&headers());
/// ```
///
/// # Serde
///
/// With the feature `serde` it is a map of its entries, so that it can be kept in an outbox table. Like the entries,
/// the map has the tenant only after [`send_tenant`](Self::send_tenant).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventContext {
    entries: BTreeMap<String, String>,
    /// Not among the entries, so that it stays within the process.
    tenant: Option<Tenant>,
}

impl EventContext {
    /// The context of the current span, and its [tenant](crate::tenant).
    pub fn current() -> Self {
        let mut context = Self {
            entries: BTreeMap::new(),
            tenant: tenant::current(),
        };
        inject(&mut context);
        context
    }

    /// Reads a context from the headers of a message. Names are compared without regard to case, and the values of a
    /// repeated name are joined by commas, as in HTTP. Headers that carry no context do no harm. A tenant that they name
    /// is not believed, see [`trust_tenant`](Self::trust_tenant).
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

    /// Reads a context from headers whose values are bytes, such as those of Kafka. Values that are not UTF-8 are
    /// skipped; where another value of the same name is, U+FFFD stands for them, so that it does not pass for the only
    /// one.
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

    /// The headers that carry the context. Those of the [current](Self::current) context have the tenant only after
    /// [`send_tenant`](Self::send_tenant); those that were [received](Self::from_entries) are as they came.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Adds the publisher's tenant to the [entries](Self::entries), as `tenant_id` of the baggage. For messages that
    /// stay among the service's own.
    ///
    /// It travels in the formats that have a baggage: `OTEL_PROPAGATORS` names `baggage` or `jaeger`. A tenant that
    /// [would not be believed](super#trust) is not sent.
    #[must_use = "the tenant is among the entries of what this returns"]
    pub fn send_tenant(mut self) -> Self {
        let context =
            carried_tenant::send(&extract(&self), self.tenant.as_ref().map(Tenant::as_str));
        // An entry that the propagators do not write, such as an empty baggage, is removed.
        global::get_text_map_propagator(|propagator| {
            for field in propagator.fields() {
                self.entries.remove(field);
            }
        });
        inject_context(&context, &mut self);
        self
    }

    /// Believes the tenant that the [entries](Self::from_entries) name. For messages that only the service's own can
    /// have sent: a tenant decides under whose name work is counted, and more where a service makes use of it. See
    /// [who decides](super#trust).
    #[must_use = "the tenant is that of what this returns"]
    pub fn trust_tenant(mut self) -> Self {
        if let Some(named) = carried_tenant::named_in(&extract(&self)) {
            self.tenant = Some(named.into());
        }
        self
    }

    /// The tenant of the publisher, as far as it is known and believed.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// Makes `span` a child of the event's publisher, for the publisher's tenant. To be called before the span is
    /// first entered, see [`set_parent`].
    ///
    /// A span that is to be counted for the tenant declares the field `tenant_id`. If it has a value already, that
    /// stays; [`tenant::set`] replaces it, on every signal.
    pub fn follow(&self, span: &Span) {
        set_parent(span, extract(self));
        tenant::set_default_on(span, self.tenant.as_ref().map(Tenant::as_str));
    }

    /// Links `span` to the event's publisher, without making it its child: for a span that handles a batch. See
    /// [`link`](super::link()).
    pub fn link(&self, span: &Span) {
        // Without a trace the span context is not valid, and adds no link.
        span.add_link(extract(self).span().span_context().clone());
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
