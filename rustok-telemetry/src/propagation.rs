//! Context across borders: the trace goes on in the next process and behind the queue.
//!
//! Which headers are written and read follows `OTEL_PROPAGATORS`; W3C `traceparent` and `baggage` by default.
//! [`init`](crate::init()) sets the propagators; before it, nothing is written or read.

use std::collections::BTreeMap;

use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector, TextMapCompositePropagator, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    config::Propagator,
    tenant::{self, Tenant},
};

/// Writes the current span's context into the headers of an outgoing request.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// rustok_telemetry::propagation::inject_headers(&mut headers);
/// // After `init`, within a span: `traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`
/// ```
pub fn inject_headers(headers: &mut http::HeaderMap) {
    inject(&mut HeaderInjector(headers));
}

/// Reads the caller's context from the headers of an incoming request.
///
/// An absent or malformed header gives an empty context, with which the span begins a new trace.
pub fn extract_headers(headers: &http::HeaderMap) -> Context {
    extract(&HeaderExtractor(headers))
}

/// Writes the current span's context into any carrier, such as the headers of a message.
pub fn inject(carrier: &mut dyn Injector) {
    // The context of the nearest span that is exported or counted, whatever spans are there for log lines only.
    let context = Context::current();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, carrier));
}

/// Reads a context from any carrier.
pub fn extract(carrier: &dyn Extractor) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract(carrier))
}

/// Name of the response header that tells the caller its trace, from the draft of W3C Trace Context Level 2.
pub const TRACE_RESPONSE: &str = "traceresponse";

/// Writes the trace that a request belongs to into the response's headers, so that the caller can give its id with a
/// question: `traceresponse: 00-{trace id}-{span id}-{flags}`. The [HTTP layer](crate::http) does so.
pub(crate) fn tell_caller(span: &Span, headers: &mut http::HeaderMap) {
    let context = span.context();
    let context = context.span().span_context().clone();
    if !context.is_valid() {
        return;
    }
    let value = format!(
        "00-{}-{}-{:02x}",
        context.trace_id(),
        context.span_id(),
        context.trace_flags()
    );
    if let Ok(value) = http::HeaderValue::try_from(value) {
        headers.insert(TRACE_RESPONSE, value);
    }
}

/// Makes `span` a child of `context`. To be called before the span is first entered.
pub fn set_parent(span: &Span, context: Context) {
    // The one error says that no OpenTelemetry layer is installed: then there is no trace to continue.
    let _ = span.set_parent(context);
}

/// The context of an event's publisher, to be kept with the event's metadata.
///
/// ```
/// use rustok_telemetry::propagation::EventContext;
///
/// struct Event { name: &'static str, context: EventContext }
///
/// let event = Event { name: "ProductCreated", context: EventContext::current() };
/// // … behind the queue:
/// let span = tracing::info_span!("handle_event", event = event.name);
/// event.context.follow(&span);
/// let _entered = span.enter();
/// ```
///
/// Across processes, its [entries](Self::entries) go into the message's headers, and [`from_entries`](Self::from_entries)
/// reads them back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventContext {
    entries: BTreeMap<String, String>,
    tenant: Tenant,
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

    /// Reads a context from the headers of a message. Names are compared without regard to case; headers that carry
    /// no context do no harm.
    pub fn from_entries<K, V>(entries: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<str>,
        V: Into<String>,
    {
        let lower = |(key, value): (K, V)| (key.as_ref().to_ascii_lowercase(), value.into());
        Self {
            entries: entries.into_iter().map(lower).collect(),
            tenant: Tenant::default(),
        }
    }

    /// The headers that carry the context.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Makes `span` a child of the event's publisher, for the publisher's tenant. To be called before the span is first
    /// entered. A span that is to be counted for the tenant declares the field `tenant_id`.
    pub fn follow(&self, span: &Span) {
        set_parent(span, extract(self));
        if let Some(tenant) = self.tenant.id() {
            tenant::set_on(span, tenant);
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
        self.entries
            .get(&key.to_ascii_lowercase())
            .map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }
}

/// Sets the default propagators, unless telemetry has been started and has set its own.
#[cfg(feature = "testing")]
pub(crate) fn install_for_tests() {
    use crate::lifecycle::{self, Stage};

    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        if lifecycle::stage() == Stage::NotStarted {
            install(&[Propagator::TraceContext, Propagator::Baggage]);
        }
    });
}

/// Sets the process' propagators.
pub(crate) fn install(propagators: &[Propagator]) {
    let propagators = propagators
        .iter()
        .map(|propagator| -> Box<dyn TextMapPropagator + Send + Sync> {
            match propagator {
                Propagator::TraceContext => Box::new(TraceContextPropagator::new()),
                Propagator::Baggage => Box::new(BaggagePropagator::new()),
            }
        })
        .collect();
    global::set_text_map_propagator(TextMapCompositePropagator::new(propagators));
}
