//! Trace context, baggage and tenants across process and queue boundaries.
//!
//! ```
//! use rustok_telemetry::propagation::{self, EventContext};
//!
//! // An outgoing HTTP request: inject the context into its headers.
//! let mut headers = http::HeaderMap::new();
//! propagation::inject_headers(&mut headers);
//!
//! // An event: store the context with it, and make the handler's span a child of the publisher's.
//! let context = EventContext::current();
//! let handler = tracing::info_span!("handle_event", tenant_id = tracing::field::Empty);
//! context.follow(&handler);
//! ```
//!
//! The [layer for servers](crate::http) and the [middleware for clients](crate::http#clients) do this automatically,
//! and [`task::spawn`](crate::task::spawn) does it for work that outlives a request.
//!
//! # Formats
//!
//! `OTEL_PROPAGATORS` lists the formats, separated by commas. The default is `tracecontext,baggage`.
//! [`init`](crate::init()) installs them; before that nothing is injected or extracted.
//!
//! | name | Cargo feature | headers |
//! |---|---|---|
//! | `tracecontext` | | `traceparent`, `tracestate` |
//! | `baggage` | | `baggage` |
//! | `b3` | `b3` | `b3`; `X-B3-*` are also extracted |
//! | `b3multi` | `b3` | `X-B3-TraceId`, `X-B3-SpanId`, `X-B3-Sampled`, `X-B3-Flags`; `b3` is also extracted, and wins |
//! | `jaeger` | `jaeger` | `uber-trace-id`, and `uberctx-{key}` for each baggage entry |
//! | `none` | | none |
//!
//! All listed formats are injected. If a request contains several traces, the last listed format wins.
//!
//! Repeated headers are joined with commas: `tracestate` and `baggage` are lists and continue, any other repeated
//! header is malformed. A malformed header is ignored, so the request begins a new trace.
//!
//! - `traceparent` and `tracestate` follow [W3C Trace Context Level 2]. A malformed `tracestate` is dropped as a whole,
//!   and `traceparent` is kept. The flag `random-trace-id` is propagated unchanged; new traces do not set it.
//! - `baggage` follows [W3C Baggage]. A malformed member is skipped. Of members with the same key the last wins; of
//!   more than 64 members or 8192 bytes the first are kept.
//!
//! # Trust
//!
//! Any client can send these headers. Two options of the HTTP layer decide what they affect:
//!
//! | | by default | [`tenant_from_baggage`] | [`public_edge`] |
//! |---|---|---|---|
//! | the trace of a request | the caller's | the caller's | a new one, with a link to the caller's span |
//! | sampling | the configured sampler; `parentbased_*` follows the caller | the same | the configured sampler, as for a root span |
//! | trace state, baggage | propagated | propagated | dropped |
//! | the tenant | [`tenant::set`] | [`tenant::set`], otherwise the caller's | [`tenant::set`] |
//!
//! A [tenant] stays within the process, unless the service sends it as the baggage entry `tenant_id`:
//! [`inject_headers_with_tenant`], [`EventContext::send_tenant`], and `send_tenant` of the middleware for clients.
//!
//! 1. A received tenant is accepted only where the service trusts the sender: [`tenant_from_baggage`],
//!    [`EventContext::trust_tenant`].
//! 2. [`tenant::set`] overrides it on every signal: spans, logs, metrics and outgoing context.
//! 3. A valid tenant has 1 to 128 bytes, without control characters, surrounding spaces, `%` or U+FFFD. If the headers
//!    name two different tenants, or a malformed one, none is accepted.
//! 4. A received tenant is not forwarded.
//!
//! [`tenant::set`]: crate::tenant::set
//! [`tenant_from_baggage`]: crate::http::TelemetryLayer::tenant_from_baggage
//! [`public_edge`]: crate::http::TelemetryLayer::public_edge
//! [W3C Trace Context Level 2]: https://www.w3.org/TR/trace-context-2/
//! [W3C Baggage]: https://www.w3.org/TR/baggage/

#[cfg(feature = "b3")]
mod b3;
mod baggage;
mod carried_tenant;
mod carrier;
mod event_context;
#[cfg(feature = "serde")]
mod event_context_serde;
mod hex;
mod install;
#[cfg(feature = "jaeger")]
mod jaeger;
mod trace_context;
mod trace_state;

use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector},
    trace::{SpanContext, TraceContextExt, TraceState},
};
use opentelemetry_http::HeaderInjector;
use tracing::Span;

use self::carrier::Incoming;
pub use self::event_context::EventContext;
#[cfg(feature = "testing")]
pub(crate) use self::install::install_for_tests;
pub(crate) use self::{
    carried_tenant::named_in,
    install::{install, is_installed},
};
use crate::{
    tenant::{self, Tenant},
    trace::native,
};

/// Injects the current span's context into the headers of an outgoing request.
///
/// Replaces any context that the headers already have, because they may be copied from an incoming request.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// rustok_telemetry::propagation::inject_headers(&mut headers);
/// // After `init`, within a span: `traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`
/// ```
pub fn inject_headers(headers: &mut http::HeaderMap) {
    inject_into_headers(&Context::current(), headers);
}

/// Injects the current span's context into the headers of an outgoing request, and the current
/// [tenant] as the baggage entry `tenant_id`. For requests to internal services: every receiver can read
/// it.
///
/// A tenant that is [not valid](self#trust) is not injected.
pub fn inject_headers_with_tenant(headers: &mut http::HeaderMap) {
    let tenant = tenant::current();
    let context = carried_tenant::send(&Context::current(), tenant.as_ref().map(Tenant::as_str));
    inject_into_headers(&context, headers);
}

/// Extracts the caller's context from the headers of an incoming request.
///
/// Returns an empty context if the headers are absent or malformed: a span with it as parent begins a new trace.
/// Repeated headers are joined with commas.
pub fn extract_headers(headers: &http::HeaderMap) -> Context {
    extract(&Incoming::new(headers))
}

/// Injects the current span's context into any carrier, such as the headers of a message.
pub fn inject(carrier: &mut dyn Injector) {
    // The context of the nearest span that is exported or counted. Spans for log lines only are skipped.
    inject_context(&Context::current(), carrier);
}

/// Extracts a context from any carrier. Absent or malformed headers are not replaced by the current span's context.
pub fn extract(carrier: &dyn Extractor) -> Context {
    extract_within(&Context::new(), carrier)
}

/// Makes `span` a child of `context` in the exported trace. Log lines and the tenant still follow the enclosing
/// `tracing` spans.
///
/// Call this before `span` is entered, gets a child or is injected. Later, the parent is fixed and the call has no
/// effect, which is logged once. It also has no effect before [`init`](crate::init()).
///
/// ```
/// use rustok_telemetry::propagation;
///
/// fn handle(headers: &http::HeaderMap) {
///     let span = tracing::info_span!(parent: None, "handle");
///     propagation::set_parent(&span, propagation::extract_headers(headers));
///     span.in_scope(|| { /* … */ });
/// }
/// # handle(&http::HeaderMap::new());
/// ```
pub fn set_parent(span: &Span, context: Context) {
    native::set_parent(span, context);
}

/// Links `span` to the publishers of a batch of events, because a span has only one parent.
///
/// Contexts without a trace are skipped. A span has at most 128 links, or `OTEL_SPAN_LINK_COUNT_LIMIT`.
///
/// ```
/// use rustok_telemetry::propagation::{self, EventContext};
///
/// fn handle_batch(batch: &[EventContext]) {
///     let span = tracing::info_span!("handle_batch", size = batch.len());
///     propagation::link(&span, batch);
///     span.in_scope(|| { /* … */ });
/// }
/// # handle_batch(&[EventContext::current()]);
/// ```
pub fn link<'events>(span: &Span, contexts: impl IntoIterator<Item = &'events EventContext>) {
    for context in contexts {
        context.link(span);
    }
}

/// The response header with the trace of the request, from the draft of W3C Trace Context Level 2.
pub const TRACE_RESPONSE: &str = "traceresponse";

/// Injects the span of a request into the response's headers, so that a caller can report the trace id:
/// `traceresponse: 00-{trace id}-{span id}-{flags}`.
pub(crate) fn inject_traceresponse(span: &Span, headers: &mut http::HeaderMap) {
    const NAME: http::HeaderName = http::HeaderName::from_static(TRACE_RESPONSE);
    let context = native::context_of(span);
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return;
    }
    let value = trace_context::text(&context, span);
    if let Ok(value) = http::HeaderValue::try_from(value) {
        headers.insert(NAME, value);
    }
}

/// Extracts the caller's context, or returns the current one if the headers have none.
pub(crate) fn extract_headers_within_current(headers: &http::HeaderMap) -> Context {
    extract_within(&Context::current(), &Incoming::new(headers))
}

/// Links `span` to the caller's span if the headers contain one. The link has no trace state.
pub(crate) fn link_caller(span: &Span, headers: &http::HeaderMap) {
    let caller = extract_headers(headers);
    let caller = caller.span();
    let caller = caller.span_context();
    let link = SpanContext::new(
        caller.trace_id(),
        caller.span_id(),
        caller.trace_flags(),
        true,
        TraceState::NONE,
    );
    native::add_link(span, link);
}

fn inject_into_headers(context: &Context, headers: &mut http::HeaderMap) {
    global::get_text_map_propagator(|propagator| {
        if !headers.is_empty() {
            for field in propagator.fields() {
                headers.remove(field);
            }
        }
        propagator.inject_context(context, &mut HeaderInjector(headers));
    });
}

fn inject_context(context: &Context, carrier: &mut dyn Injector) {
    global::get_text_map_propagator(|propagator| propagator.inject_context(context, carrier));
}

fn extract_within(context: &Context, carrier: &dyn Extractor) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract_with_context(context, carrier))
}
