//! Jaeger's own format: the header `uber-trace-id`, and a header `uberctx-{key}` for each baggage entry.
//!
//! `opentelemetry-jaeger-propagator` is not used: it needs another version of OpenTelemetry, and reads the baggage as
//! trace state.

use std::{borrow::Cow, sync::LazyLock};

use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceFlags},
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{
    carried_tenant::Received,
    carrier,
    hex::{number, remote_span},
};
use crate::trace::{TENANT_ID, remote_sampling::Sampling};

const HEADER: &str = "uber-trace-id";
const BAGGAGE: &str = "uberctx-";

const SAMPLED: u128 = 1;
const DEBUG: u128 = 2;

/// The propagator of `uber-trace-id: {trace id}:{span id}:{parent's span id, unused}:{flags}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jaeger;

impl TextMapPropagator for Jaeger {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let span = context.span();
        let span = span.span_context();
        if span.is_valid() {
            let flags = match (span.is_sampled(), Sampling::is_debug(context)) {
                (true, true) => SAMPLED | DEBUG,
                (true, false) => SAMPLED,
                (false, _) => 0,
            };
            let (trace_id, span_id) = (span.trace_id(), span.span_id());
            injector.set(HEADER, format!("{trace_id}:{span_id}:0:{flags:x}"));
        }
        for (key, (value, _)) in context.baggage() {
            let value = utf8_percent_encode(value.as_str(), NON_ALPHANUMERIC);
            injector.set(&format!("{BAGGAGE}{key}"), value.to_string());
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let context = match carrier::value(extractor, HEADER).as_deref().and_then(read) {
            Some((span, sampling)) => context.with_value(sampling).with_remote_span_context(span),
            None => context.clone(),
        };
        with_baggage(context, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 2]> =
            LazyLock::new(|| [HEADER.to_owned(), format!("{BAGGAGE}{TENANT_ID}")]);
        FieldIter::new(&*FIELDS)
    }
}

/// Reads a header. Ids may lack leading zeros, and the whole may be percent-encoded.
fn read(header: &str) -> Option<(SpanContext, Sampling)> {
    let text = if header.contains(':') {
        Cow::Borrowed(header)
    } else {
        percent_decode_str(header).decode_utf8().ok()?
    };
    let parts: Vec<_> = text.trim().splitn(5, ':').collect();
    let [trace_id, span_id, _parent, flags] = parts[..] else {
        return None;
    };
    if span_id.len() > 16 || flags.len() > 2 {
        return None;
    }
    let (trace_id, span_id, flags) = (number(trace_id)?, number(span_id)?, number(flags)?);
    let is_sampled = flags & SAMPLED != 0;
    let sampling = match is_sampled && flags & DEBUG != 0 {
        true => Sampling::Debug,
        false => Sampling::Decided,
    };
    let flags = TraceFlags::default().with_sampled(is_sampled);
    Some((remote_span(trace_id, span_id, flags)?, sampling))
}

/// Returns the context with the baggage of the headers added to its own.
fn with_baggage(context: Context, extractor: &dyn Extractor) -> Context {
    let mut received = None;
    for key in extractor.keys() {
        let Some((prefix, name)) = key.split_at_checked(BAGGAGE.len()) else {
            continue;
        };
        if !prefix.eq_ignore_ascii_case(BAGGAGE) {
            continue;
        }
        let received = received.get_or_insert_with(|| Received::within(&context));
        let value = carrier::value(extractor, key).unwrap_or_default();
        // Commas in a value are encoded, so a plain comma joins the values of a repeated header.
        let is_tenant = name == TENANT_ID;
        match percent_decode_str(&value).decode_utf8() {
            _ if is_tenant && value.contains(',') => received.doubt_tenant(),
            Ok(value) => received.insert(name, value, ""),
            Err(_) if is_tenant => received.doubt_tenant(),
            Err(_) => {}
        }
    }
    match received {
        Some(received) => received.into_context(&context),
        None => context,
    }
}
