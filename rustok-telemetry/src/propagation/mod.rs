//! Context across borders: the trace goes on in the next process and behind the queue.
//!
//! ```
//! use rustok_telemetry::propagation::{self, EventContext};
//!
//! // An HTTP request: the trace goes into its headers.
//! let mut headers = http::HeaderMap::new();
//! propagation::inject_headers(&mut headers);
//!
//! // An event: the trace goes into its metadata, and on in whoever handles it.
//! let context = EventContext::current();
//! let handler = tracing::info_span!("handle_event", tenant_id = tracing::field::Empty);
//! context.follow(&handler);
//! ```
//!
//! The [layer for servers](crate::http) and the [middleware for clients](crate::http#clients) do this by themselves,
//! and [`task::spawn`](crate::task::spawn) does it for work that outlives a request.
//!
//! # Formats
//!
//! `OTEL_PROPAGATORS` names those that are written and read, separated by commas; W3C trace context and baggage by
//! default. [`init`](crate::init()) sets them; before it, nothing is written or read.
//!
//! | name | headers |
//! |---|---|
//! | `tracecontext` | `traceparent`, `tracestate` |
//! | `baggage` | `baggage` |
//! | `b3` | `b3`; the `X-B3-*` headers are read too |
//! | `b3multi` | `X-B3-TraceId`, `X-B3-SpanId`, `X-B3-Sampled`, `X-B3-Flags`; `b3` is read too, and first |
//! | `jaeger` | `uber-trace-id`, `uberctx-{key}` for each entry of the baggage |
//! | `none` | none |
//!
//! All of them are written. If the headers name several traces, that of the format which is named last counts.
//!
//! Several headers of a name are one header, their values joined by commas. `tracestate` and `baggage` are lists, and
//! go on; any other repeated header is malformed. A malformed header counts as absent: the request begins a new trace.
//!
//! - `traceparent` and `tracestate` are those of [W3C Trace Context Level 2]. A malformed `tracestate` is dropped as a
//!   whole, and `traceparent` stays. The flag `random-trace-id` is passed on as it came; traces that begin here don't
//!   set it.
//! - `baggage` is that of [W3C Baggage]. A malformed member is skipped; of members with the same key the last counts; of
//!   more than 64 members or 8192 bytes the first.
//!
//! # Trust
//!
//! Anybody can write a header. Who decides, then?
//!
//! | | by default | [`tenant_from_baggage`] | [`public_edge`] |
//! |---|---|---|---|
//! | the trace of a request | the caller's | the caller's | its own, with a link to the caller's span |
//! | whether it is recorded | the configured sampler; those called `parentbased_…` follow the caller | the same | the configured sampler, as for any root span |
//! | trace state, baggage | passed on | passed on | dropped |
//! | the tenant | [`tenant::set`] | [`tenant::set`], else the caller | [`tenant::set`] |
//!
//! A [tenant](crate::tenant) stays within the process. It is sent, as the entry `tenant_id` of the baggage, where the
//! service asks for it: [`inject_headers_with_tenant`], [`EventContext::send_tenant`], and `send_tenant` of the middleware
//! for clients.
//!
//! What a caller sends there is a claim:
//!
//! 1. It is believed only where the service trusts the sender: [`tenant_from_baggage`], [`EventContext::trust_tenant`].
//! 2. An authenticated tenant, [`tenant::set`], overrules it on every signal: spans, logs, metrics, what is sent.
//! 3. It is believed only if it is one tenant of 1 to 128 bytes, without control characters, spaces around it, `%` or
//!    U+FFFD. If the headers name two different tenants, or name one in a malformed way, none of it is believed.
//! 4. It is never passed on.
//!
//! [`tenant::set`]: crate::tenant::set
//! [`tenant_from_baggage`]: crate::http::TelemetryLayer::tenant_from_baggage
//! [`public_edge`]: crate::http::TelemetryLayer::public_edge
//! [W3C Trace Context Level 2]: https://www.w3.org/TR/trace-context-2/
//! [W3C Baggage]: https://www.w3.org/TR/baggage/

mod b3;
mod baggage;
mod carried_tenant;
mod carrier;
mod event_context;
#[cfg(feature = "serde")]
mod event_context_serde;
mod hex;
mod install;
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
use tracing_opentelemetry::OpenTelemetrySpanExt;

use self::carrier::Incoming;
pub use self::event_context::EventContext;
#[cfg(feature = "testing")]
pub(crate) use self::install::install_for_tests;
pub(crate) use self::{carried_tenant::named_in, install::install};
use crate::tenant::{self, Tenant};

/// Writes the current span's context into the headers of an outgoing request, in place of a context that they have
/// already: headers may have been copied from an incoming request.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// rustok_telemetry::propagation::inject_headers(&mut headers);
/// // After `init`, within a span: `traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`
/// ```
pub fn inject_headers(headers: &mut http::HeaderMap) {
    inject_into_headers(&Context::current(), headers);
}

/// Writes the current span's context into the headers of an outgoing request, and the current
/// [tenant](crate::tenant) as the entry `tenant_id` of the baggage. For requests to the service's own: whoever
/// receives it can read it.
///
/// A tenant that [would not be believed](self#trust) is not sent.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// rustok_telemetry::propagation::inject_headers_with_tenant(&mut headers);
/// // After `init`, within a span of the tenant `acme`: also `baggage: tenant_id=acme`
/// ```
pub fn inject_headers_with_tenant(headers: &mut http::HeaderMap) {
    let tenant = tenant::current();
    let context = carried_tenant::send(&Context::current(), tenant.as_ref().map(Tenant::as_str));
    inject_into_headers(&context, headers);
}

/// Reads the caller's context from the headers of an incoming request.
///
/// An absent or malformed header gives an empty context, with which the span begins a new trace. Several headers of one
/// name are one header, their values joined by commas.
pub fn extract_headers(headers: &http::HeaderMap) -> Context {
    extract(&Incoming::new(headers))
}

/// Writes the current span's context into any carrier, such as the headers of a message.
pub fn inject(carrier: &mut dyn Injector) {
    // The context of the nearest span that is exported or counted, whatever spans are there for log lines only.
    inject_context(&Context::current(), carrier);
}

/// Reads a context from any carrier. What is absent or malformed is not in the context, whatever the current span is.
pub fn extract(carrier: &dyn Extractor) -> Context {
    extract_within(&Context::new(), carrier)
}

/// Makes `span` a child of `context`, in the traces. The spans around it in this process stay what they are for its
/// log lines and its tenant.
///
/// To be called before `span` is entered, has a child or has its context written: from then on it has its place in the
/// traces, and keeps it. Without [`init`](crate::init()) there are no traces, and nothing happens.
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
    // It is an error that there is no OpenTelemetry layer, that the span is disabled, or that it has begun already.
    let _ = span.set_parent(context);
}

/// Links `span` to the publishers of events that it handles together: a batch has one span, and many that caused it.
///
/// Contexts without a trace are left out. A span has 128 links at most, or `OTEL_SPAN_LINK_COUNT_LIMIT`.
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

/// Name of the response header that tells the caller its trace, from the draft of W3C Trace Context Level 2.
pub const TRACE_RESPONSE: &str = "traceresponse";

/// Writes the trace that a request belongs to into the response's headers, so that the caller can give its id with a
/// question: `traceresponse: 00-{trace id}-{span id}-{flags}`. The [HTTP layer](crate::http) does so.
pub(crate) fn inject_traceresponse(span: &Span, headers: &mut http::HeaderMap) {
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return;
    }
    let value = trace_context::text(&context, span);
    if let Ok(value) = http::HeaderValue::try_from(value) {
        headers.insert(http::HeaderName::from_static(TRACE_RESPONSE), value);
    }
}

/// The caller's context, or the current one where the headers have none.
pub(crate) fn extract_headers_within_current(headers: &http::HeaderMap) -> Context {
    extract_within(&Context::current(), &Incoming::new(headers))
}

/// Makes `span` the root of a trace, with a link to the caller's span if the headers name one. Nothing else of them is
/// taken over: a link has no trace state.
pub(crate) fn begin_trace(span: &Span, headers: &http::HeaderMap) {
    let caller = extract_headers(headers);
    let caller = caller.span();
    let caller = caller.span_context();
    span.add_link(SpanContext::new(
        caller.trace_id(),
        caller.span_id(),
        caller.trace_flags(),
        true,
        TraceState::NONE,
    ));
    set_parent(span, Context::new());
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
