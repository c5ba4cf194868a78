//! Encodes spans and log records as messages of OTLP, in one pass and without copies of their parts.
//!
//! Field numbers are those of `opentelemetry-proto`.

use std::{cell::RefCell, sync::Arc};

use opentelemetry::{
    InstrumentationScope, SpanId,
    logs::AnyValue,
    trace::{Event, Link},
};
use opentelemetry_sdk::{logs::SdkLogRecord, trace::SpanData};

use crate::{
    delivery::Importance,
    wire::{
        attribute, attributes, boolean, bytes, double, fixed32, flags, ids, integer, kind, message,
        signed, status, text, time,
    },
};

/// A buffer beyond this size is not kept by its thread.
const LARGEST_KEPT: usize = 64 << 10;

/// An encoded span or log record, with its scope, which is encoded outside of it.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    pub(crate) scope: InstrumentationScope,
    pub(crate) message: Arc<[u8]>,
    pub(crate) importance: Importance,
}

/// Encodes a span.
pub(crate) fn span(span: &SpanData) -> Arc<[u8]> {
    encoded(|into| write_span(span, into))
}

/// Encodes a log record.
pub(crate) fn log_record(record: &SdkLogRecord) -> Arc<[u8]> {
    encoded(|into| write_log_record(record, into))
}

/// Encodes into the buffer of this thread, so that only the result is allocated.
pub(super) fn encoded(write: impl Fn(&mut Vec<u8>)) -> Arc<[u8]> {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let in_buffer = BUFFER.try_with(|buffer| {
        let mut buffer = buffer.try_borrow_mut().ok()?;
        buffer.clear();
        write(&mut buffer);
        let message = Arc::from(buffer.as_slice());
        if buffer.capacity() > LARGEST_KEPT {
            *buffer = Vec::new();
        }
        Some(message)
    });
    // A span may end while its thread ends.
    in_buffer.ok().flatten().unwrap_or_else(|| {
        let mut buffer = Vec::new();
        write(&mut buffer);
        buffer.into()
    })
}

fn write_span(span: &SpanData, into: &mut Vec<u8>) {
    let SpanData {
        span_context: context,
        parent_span_id: parent,
        ..
    } = span;
    ids(1, 2, context, into);
    text(3, &context.trace_state().header(), into);
    if *parent != SpanId::INVALID {
        bytes(4, &parent.to_bytes(), into);
    }
    text(5, &span.name, into);
    integer(6, kind(&span.span_kind), into);
    time(7, span.start_time, into);
    time(8, span.end_time, into);
    attributes(9, &span.attributes, into);
    integer(10, span.dropped_attributes_count.into(), into);
    for event in span.events.iter() {
        message(11, into, |into| write_event(event, into));
    }
    integer(12, span.events.dropped_count.into(), into);
    for link in span.links.iter() {
        message(13, into, |into| write_link(link, into));
    }
    integer(14, span.links.dropped_count.into(), into);
    status(15, &span.status, into);
    fixed32(16, flags(context, span.parent_span_is_remote), into);
}

fn write_event(event: &Event, into: &mut Vec<u8>) {
    time(1, event.timestamp, into);
    text(2, &event.name, into);
    attributes(3, &event.attributes, into);
    integer(4, event.dropped_attributes_count.into(), into);
}

fn write_link(link: &Link, into: &mut Vec<u8>) {
    let context = &link.span_context;
    ids(1, 2, context, into);
    text(3, &context.trace_state().header(), into);
    attributes(4, &link.attributes, into);
    integer(5, link.dropped_attributes_count.into(), into);
    fixed32(6, flags(context, context.is_remote()), into);
}

fn write_log_record(record: &SdkLogRecord, into: &mut Vec<u8>) {
    if let Some(at) = record.timestamp() {
        time(1, at, into);
    }
    let severity = record.severity_number();
    integer(2, severity.map_or(0, |severity| severity as u64), into);
    text(3, record.severity_text().unwrap_or_default(), into);
    if let Some(body) = record.body() {
        message(5, into, |into| any_value(body, into));
    }
    for (key, value) in record.attributes_iter() {
        attribute(6, key.as_str(), into, |into| any_value(value, into));
    }
    if let Some(origin) = record.trace_context() {
        let flags = origin.trace_flags.unwrap_or_default();
        fixed32(8, flags.to_u8().into(), into);
        bytes(9, &origin.trace_id.to_bytes(), into);
        bytes(10, &origin.span_id.to_bytes(), into);
    }
    if let Some(at) = record.observed_timestamp() {
        time(11, at, into);
    }
    text(12, record.event_name().unwrap_or_default(), into);
}

fn any_value(value: &AnyValue, into: &mut Vec<u8>) {
    match value {
        AnyValue::Boolean(value) => boolean(*value, into),
        AnyValue::Int(value) => signed(*value, into),
        AnyValue::Double(value) => double(*value, into),
        AnyValue::String(value) => bytes(1, value.as_str().as_bytes(), into),
        AnyValue::Bytes(value) => bytes(7, value, into),
        AnyValue::ListAny(values) => message(5, into, |into| {
            for value in values.iter() {
                message(1, into, |into| any_value(value, into));
            }
        }),
        AnyValue::Map(values) => message(6, into, |into| {
            for (key, value) in values.iter() {
                attribute(1, key.as_str(), into, |into| any_value(value, into));
            }
        }),
        other => bytes(1, format!("{other:?}").as_bytes(), into),
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
