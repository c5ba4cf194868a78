//! The OTLP encoder: spans and log records have the bytes that `opentelemetry-proto` encodes.
#![no_main]

#[allow(dead_code, reason = "the exporters need the rest")]
#[path = "../../src/otlp/encode.rs"]
mod encode;
#[path = "../../src/wire.rs"]
mod wire;

/// What the encoder uses of the crate.
mod delivery {
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Importance {}
}

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libfuzzer_sys::{
    arbitrary::{Arbitrary, Result, Unstructured},
    fuzz_target,
};
use opentelemetry::{
    Array, InstrumentationScope, KeyValue, SpanId, StringValue, TraceId, Value,
    logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity},
    trace::{Event, Link, SpanContext, SpanKind, Status, TraceFlags, TraceState},
};
use opentelemetry_proto::tonic::{logs::v1::LogRecord, trace::v1::Span};
use opentelemetry_sdk::{
    logs::{SdkLogRecord, SdkLoggerProvider},
    trace::{SpanData, SpanEvents, SpanLinks},
};
use prost::Message as _;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    if let Ok(span) = span(&mut input) {
        let encoded = encode::span(&span);
        assert_eq!(*encoded, Span::from(span).encode_to_vec());
    }
    if let Ok(record) = log_record(&mut input) {
        let encoded = encode::log_record(&record);
        assert_eq!(*encoded, LogRecord::from(&record).encode_to_vec());
    }
});

fn list<'a, T>(
    input: &mut Unstructured<'a>,
    item: fn(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..input.int_in_range(0..=4)?).map(|_| item(input)).collect()
}

/// Half of the texts are long, so that their length has two or three bytes.
fn text(input: &mut Unstructured<'_>) -> Result<String> {
    let text = String::arbitrary(input)?;
    Ok(match input.int_in_range(0..=3)? {
        0 => text.repeat(130),
        1 => text.repeat(8_200),
        _ => text,
    })
}

/// From ten seconds before 1970 on.
fn time(input: &mut Unstructured<'_>) -> Result<SystemTime> {
    let after = Duration::from_nanos(u64::arbitrary(input)? / 4);
    Ok(UNIX_EPOCH - Duration::from_secs(10) + after)
}

fn value(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match input.int_in_range(0..=7)? {
        0 => bool::arbitrary(input)?.into(),
        1 => i64::arbitrary(input)?.into(),
        2 => f64::arbitrary(input)?.into(),
        3 => Value::Array(Array::Bool(list(input, bool::arbitrary)?)),
        4 => Value::Array(Array::I64(list(input, i64::arbitrary)?)),
        5 => Value::Array(Array::F64(list(input, f64::arbitrary)?)),
        6 => {
            let texts = list(input, text)?.into_iter();
            Value::Array(Array::String(texts.map(StringValue::from).collect()))
        }
        _ => text(input)?.into(),
    })
}

fn attribute(input: &mut Unstructured<'_>) -> Result<KeyValue> {
    Ok(KeyValue::new(text(input)?, value(input)?))
}

fn context(input: &mut Unstructured<'_>) -> Result<SpanContext> {
    let state = match bool::arbitrary(input)? {
        true => TraceState::from_key_value([("a", "b"), ("c", "d")]).expect("valid"),
        false => TraceState::NONE,
    };
    Ok(SpanContext::new(
        TraceId::from(u128::arbitrary(input)?),
        SpanId::from(u64::arbitrary(input)?),
        TraceFlags::new(u8::arbitrary(input)?),
        bool::arbitrary(input)?,
        state,
    ))
}

fn event(input: &mut Unstructured<'_>) -> Result<Event> {
    let (name, at) = (text(input)?, time(input)?);
    Ok(Event::new(name, at, list(input, attribute)?, u32::arbitrary(input)?))
}

fn link(input: &mut Unstructured<'_>) -> Result<Link> {
    let context = context(input)?;
    Ok(Link::new(context, list(input, attribute)?, u32::arbitrary(input)?))
}

fn span(input: &mut Unstructured<'_>) -> Result<SpanData> {
    let mut events = SpanEvents::default();
    (events.events, events.dropped_count) = (list(input, event)?, u32::arbitrary(input)?);
    let mut links = SpanLinks::default();
    (links.links, links.dropped_count) = (list(input, link)?, u32::arbitrary(input)?);
    let kinds = [
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ];
    Ok(SpanData {
        span_context: context(input)?,
        parent_span_id: SpanId::from(u64::arbitrary(input)?),
        parent_span_is_remote: bool::arbitrary(input)?,
        span_kind: input.choose(&kinds)?.clone(),
        name: text(input)?.into(),
        start_time: time(input)?,
        end_time: time(input)?,
        attributes: list(input, attribute)?,
        dropped_attributes_count: u32::arbitrary(input)?,
        events,
        links,
        status: match input.int_in_range(0..=2)? {
            0 => Status::Unset,
            1 => Status::Ok,
            _ => Status::error(text(input)?),
        },
        instrumentation_scope: InstrumentationScope::default(),
    })
}

fn any_value(input: &mut Unstructured<'_>) -> Result<AnyValue> {
    Ok(match input.int_in_range(0..=6)? {
        0 => bool::arbitrary(input)?.into(),
        1 => i64::arbitrary(input)?.into(),
        2 => f64::arbitrary(input)?.into(),
        3 => AnyValue::Bytes(Box::new(Vec::arbitrary(input)?)),
        4 => AnyValue::ListAny(Box::new(list(input, any_value)?)),
        5 => {
            let entries = list(input, |input| Ok((text(input)?.into(), any_value(input)?)))?;
            AnyValue::Map(Box::new(entries.into_iter().collect()))
        }
        _ => text(input)?.into(),
    })
}

fn log_record(input: &mut Unstructured<'_>) -> Result<SdkLogRecord> {
    let provider = SdkLoggerProvider::builder().build();
    let mut record = provider.logger("").create_log_record();
    if bool::arbitrary(input)? {
        record.set_timestamp(time(input)?);
    }
    record.set_observed_timestamp(time(input)?);
    if bool::arbitrary(input)? {
        record.set_severity_number(*input.choose(&[Severity::Trace, Severity::Warn2])?);
        record.set_severity_text("WARN");
        record.set_event_name("order.paid");
    }
    if bool::arbitrary(input)? {
        record.set_body(any_value(input)?);
    }
    record.add_attributes(list(input, |input| Ok((text(input)?, any_value(input)?)))?);
    if bool::arbitrary(input)? {
        let context = context(input)?;
        let flags = context.trace_flags();
        record.set_trace_context(context.trace_id(), context.span_id(), Some(flags));
    }
    Ok(record)
}
