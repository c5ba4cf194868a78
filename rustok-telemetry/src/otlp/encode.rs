//! Encodes spans and log records as messages of OTLP, in one pass and without copies of their parts.
//!
//! Field numbers are those of `opentelemetry-proto`. As in every protobuf message, a field with the default of its type
//! is left out, except the alternatives of a value.

use std::{
    cell::RefCell,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use opentelemetry::{
    Array, InstrumentationScope, Key, KeyValue, SpanId, Value,
    logs::AnyValue,
    trace::{Event, Link, SpanContext, SpanKind, Status},
};
use opentelemetry_sdk::{logs::SdkLogRecord, trace::SpanData};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use crate::delivery::Importance;

/// Bits of the flags of a span and of a link: whether the context is remote is known, and whether it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

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
fn encoded(write: impl Fn(&mut Vec<u8>)) -> Arc<[u8]> {
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
    message(15, into, |into| match &span.status {
        Status::Unset => {}
        Status::Ok => integer(3, 1, into),
        Status::Error { description } => {
            text(2, description, into);
            integer(3, 2, into);
        }
    });
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
        attribute(6, key, into, |into| any_value(value, into));
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

fn ids(trace: u32, span: u32, context: &SpanContext, into: &mut Vec<u8>) {
    bytes(trace, &context.trace_id().to_bytes(), into);
    bytes(span, &context.span_id().to_bytes(), into);
}

fn flags(context: &SpanContext, is_remote: bool) -> u32 {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    u32::from(context.trace_flags().to_u8()) | HAS_IS_REMOTE | remote
}

fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn attributes(field: u32, attributes: &[KeyValue], into: &mut Vec<u8>) {
    for KeyValue { key, value, .. } in attributes {
        attribute(field, key, into, |into| attribute_value(value, into));
    }
}

fn attribute(field: u32, key: &Key, into: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    message(field, into, |into| {
        text(1, key.as_str(), into);
        message(2, into, value);
    });
}

fn attribute_value(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Bool(value) => boolean(*value, into),
        Value::I64(value) => signed(*value, into),
        Value::F64(value) => double(*value, into),
        Value::String(value) => bytes(1, value.as_str().as_bytes(), into),
        Value::Array(array) => message(5, into, |into| match array {
            Array::Bool(values) => values
                .iter()
                .for_each(|value| message(1, into, |into| boolean(*value, into))),
            Array::I64(values) => values
                .iter()
                .for_each(|value| message(1, into, |into| signed(*value, into))),
            Array::F64(values) => values
                .iter()
                .for_each(|value| message(1, into, |into| double(*value, into))),
            Array::String(values) => values.iter().for_each(|value| {
                message(1, into, |into| bytes(1, value.as_str().as_bytes(), into))
            }),
            other => message(1, into, |into| {
                bytes(1, format!("{other:?}").as_bytes(), into)
            }),
        }),
        other => bytes(1, other.as_str().as_bytes(), into),
    }
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
                attribute(1, key, into, |into| any_value(value, into));
            }
        }),
        other => bytes(1, format!("{other:?}").as_bytes(), into),
    }
}

fn boolean(value: bool, into: &mut Vec<u8>) {
    encode_key(2, WireType::Varint, into);
    encode_varint(value.into(), into);
}

fn signed(value: i64, into: &mut Vec<u8>) {
    encode_key(3, WireType::Varint, into);
    encode_varint(value.cast_unsigned(), into);
}

fn double(value: f64, into: &mut Vec<u8>) {
    encode_key(4, WireType::SixtyFourBit, into);
    into.extend_from_slice(&value.to_le_bytes());
}

/// Writes a text, unless it is empty.
fn text(field: u32, value: &str, into: &mut Vec<u8>) {
    if !value.is_empty() {
        bytes(field, value.as_bytes(), into);
    }
}

fn bytes(field: u32, value: &[u8], into: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, into);
    encode_varint(value.len() as u64, into);
    into.extend_from_slice(value);
}

/// Writes an unsigned integer, unless it is 0.
fn integer(field: u32, value: u64, into: &mut Vec<u8>) {
    if value != 0 {
        encode_key(field, WireType::Varint, into);
        encode_varint(value, into);
    }
}

fn fixed32(field: u32, value: u32, into: &mut Vec<u8>) {
    if value != 0 {
        encode_key(field, WireType::ThirtyTwoBit, into);
        into.extend_from_slice(&value.to_le_bytes());
    }
}

/// Writes nanoseconds since 1970; a time before is 1970.
fn time(field: u32, at: SystemTime, into: &mut Vec<u8>) {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanoseconds = since.as_nanos() as u64;
    if nanoseconds != 0 {
        encode_key(field, WireType::SixtyFourBit, into);
        into.extend_from_slice(&nanoseconds.to_le_bytes());
    }
}

/// Writes an inner message. Its length stands before it: one byte is reserved for it, and the content moves if it needs
/// more.
fn message(field: u32, into: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    encode_key(field, WireType::LengthDelimited, into);
    let length_at = into.len();
    into.push(0);
    let start = into.len();
    content(into);
    let end = into.len();
    let length = (end - start) as u64;
    let more = encoded_len_varint(length) - 1;
    if more > 0 {
        into.resize(end + more, 0);
        into.copy_within(start..end, start + more);
    }
    encode_varint(length, &mut &mut into[length_at..start + more]);
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
