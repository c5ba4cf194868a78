//! Fields of OTLP's protobuf messages, written in one pass and without copies of their parts.
//!
//! As in every protobuf message, a field with the default of its type is left out, except the alternatives of a value.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::{
    Array, KeyValue, Value,
    trace::{SpanContext, SpanKind, Status},
};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// Bits of the flags of a span and of a link: whether the context is remote is known, and whether it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

pub(crate) fn ids(trace: u32, span: u32, context: &SpanContext, into: &mut Vec<u8>) {
    bytes(trace, &context.trace_id().to_bytes(), into);
    bytes(span, &context.span_id().to_bytes(), into);
}

pub(crate) fn flags(context: &SpanContext, is_remote: bool) -> u32 {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    u32::from(context.trace_flags().to_u8()) | HAS_IS_REMOTE | remote
}

pub(crate) fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

pub(crate) fn status(field: u32, status: &Status, into: &mut Vec<u8>) {
    message(field, into, |into| match status {
        Status::Unset => {}
        Status::Ok => integer(3, 1, into),
        Status::Error { description } => {
            text(2, description, into);
            integer(3, 2, into);
        }
    });
}

pub(crate) fn attributes(field: u32, attributes: &[KeyValue], into: &mut Vec<u8>) {
    for KeyValue { key, value, .. } in attributes {
        attribute(field, key.as_str(), into, |into| {
            attribute_value(value, into)
        });
    }
}

pub(crate) fn attribute(
    field: u32,
    key: &str,
    into: &mut Vec<u8>,
    value: impl FnOnce(&mut Vec<u8>),
) {
    message(field, into, |into| {
        text(1, key, into);
        message(2, into, value);
    });
}

pub(crate) fn attribute_value(value: &Value, into: &mut Vec<u8>) {
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

pub(crate) fn boolean(value: bool, into: &mut Vec<u8>) {
    key(2, WireType::Varint, into);
    varint(value.into(), into);
}

pub(crate) fn signed(value: i64, into: &mut Vec<u8>) {
    key(3, WireType::Varint, into);
    varint(value.cast_unsigned(), into);
}

pub(crate) fn double(value: f64, into: &mut Vec<u8>) {
    key(4, WireType::SixtyFourBit, into);
    into.extend_from_slice(&value.to_le_bytes());
}

/// Writes a text, unless it is empty.
pub(crate) fn text(field: u32, value: &str, into: &mut Vec<u8>) {
    if !value.is_empty() {
        bytes(field, value.as_bytes(), into);
    }
}

pub(crate) fn bytes(field: u32, value: &[u8], into: &mut Vec<u8>) {
    key(field, WireType::LengthDelimited, into);
    varint(value.len() as u64, into);
    into.extend_from_slice(value);
}

/// Writes an unsigned integer, unless it is 0.
pub(crate) fn integer(field: u32, value: u64, into: &mut Vec<u8>) {
    if value != 0 {
        key(field, WireType::Varint, into);
        varint(value, into);
    }
}

pub(crate) fn fixed32(field: u32, value: u32, into: &mut Vec<u8>) {
    if value != 0 {
        key(field, WireType::ThirtyTwoBit, into);
        into.extend_from_slice(&value.to_le_bytes());
    }
}

/// Writes nanoseconds since 1970; a time before is 1970.
pub(crate) fn time(field: u32, at: SystemTime, into: &mut Vec<u8>) {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanoseconds = since.as_nanos() as u64;
    if nanoseconds != 0 {
        key(field, WireType::SixtyFourBit, into);
        into.extend_from_slice(&nanoseconds.to_le_bytes());
    }
}

/// Writes an inner message. Its length stands before it: one byte is reserved for it, and the content moves if it needs
/// more.
pub(crate) fn message(field: u32, into: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    key(field, WireType::LengthDelimited, into);
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
    match more {
        // `length` is below 128.
        0 => into[length_at] = length as u8,
        _ => encode_varint(length, &mut &mut into[length_at..start + more]),
    }
}

/// Writes the key of a field. Most are one byte.
fn key(field: u32, wire_type: WireType, into: &mut Vec<u8>) {
    match field {
        0..16 => into.push((field << 3) as u8 | wire_type as u8),
        _ => encode_key(field, wire_type, into),
    }
}

/// Writes a number. Most lengths are one byte.
fn varint(value: u64, into: &mut Vec<u8>) {
    match value {
        0..0x80 => into.push(value as u8),
        _ => encode_varint(value, into),
    }
}
