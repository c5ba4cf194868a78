//! Compares the encoder with the conversion and the encoding of `opentelemetry-proto`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::{
    Array, KeyValue, StringValue, TraceId, Value,
    logs::{LogRecord as _, Logger, LoggerProvider, Severity},
    trace::{SpanContext, SpanKind, Status, TraceFlags, TraceState},
};
use opentelemetry_proto::tonic::{logs::v1::LogRecord, trace::v1::Span};
use opentelemetry_sdk::{
    logs::SdkLoggerProvider,
    trace::{SpanEvents, SpanLinks},
};
use proptest::{collection::vec, prelude::*};
use prost::Message;

use super::*;

fn texts() -> impl Strategy<Value = String> {
    // Short and empty ones, and lengths of two and three bytes.
    prop_oneof![20 => ".{0,4}", 3 => "[a-zü]{120,140}", 1 => "[a-z]{16370,16390}"]
}

fn values() -> impl Strategy<Value = Value> {
    let strings = |texts: Vec<String>| texts.into_iter().map(StringValue::from).collect();
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        texts().prop_map(Value::from),
        vec(any::<bool>(), 0..3).prop_map(|values| Value::Array(Array::Bool(values))),
        vec(any::<i64>(), 0..3).prop_map(|values| Value::Array(Array::I64(values))),
        vec(-1.0..1.0, 0..3).prop_map(|values| Value::Array(Array::F64(values))),
        vec(texts(), 0..3).prop_map(move |texts| Value::Array(Array::String(strings(texts)))),
    ]
}

fn all_attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let attribute = (texts(), values()).prop_map(|(key, value)| KeyValue::new(key, value));
    vec(attribute, 0..4)
}

fn contexts() -> impl Strategy<Value = SpanContext> {
    let states = prop_oneof![
        Just(TraceState::NONE),
        Just(TraceState::from_key_value([("a", "b"), ("c", "d")]).expect("valid")),
    ];
    let ids = (any::<u128>(), any::<u64>(), any::<u8>(), any::<bool>());
    (ids, states).prop_map(|((trace, span, flags, is_remote), state)| {
        let (trace, span) = (TraceId::from(trace), SpanId::from(span));
        SpanContext::new(trace, span, TraceFlags::new(flags), is_remote, state)
    })
}

/// From ten seconds before 1970 on.
fn times() -> impl Strategy<Value = SystemTime> {
    let start = UNIX_EPOCH - Duration::from_secs(10);
    (0..u64::MAX / 4).prop_map(move |after| start + Duration::from_nanos(after))
}

fn kinds() -> impl Strategy<Value = SpanKind> {
    prop_oneof![
        Just(SpanKind::Internal),
        Just(SpanKind::Server),
        Just(SpanKind::Client),
        Just(SpanKind::Producer),
        Just(SpanKind::Consumer),
    ]
}

fn statuses() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        texts().prop_map(Status::error),
    ]
}

fn events() -> impl Strategy<Value = SpanEvents> {
    let event = (texts(), times(), all_attributes(), 0..3_u32);
    let event =
        event.prop_map(|(name, at, attributes, dropped)| Event::new(name, at, attributes, dropped));
    (vec(event, 0..3), 0..3_u32).prop_map(|(events, dropped_count)| {
        let mut all = SpanEvents::default();
        (all.events, all.dropped_count) = (events, dropped_count);
        all
    })
}

fn links() -> impl Strategy<Value = SpanLinks> {
    let link = (contexts(), all_attributes(), 0..3_u32);
    let link =
        link.prop_map(|(context, attributes, dropped)| Link::new(context, attributes, dropped));
    (vec(link, 0..3), 0..3_u32).prop_map(|(links, dropped_count)| {
        let mut all = SpanLinks::default();
        (all.links, all.dropped_count) = (links, dropped_count);
        all
    })
}

fn spans() -> impl Strategy<Value = SpanData> {
    let identity = (contexts(), any::<u64>(), any::<bool>(), kinds(), texts());
    let content = (all_attributes(), 0..3_u32, events(), links(), statuses());
    (identity, times(), times(), content).prop_map(|(identity, start_time, end_time, content)| {
        let (span_context, parent, parent_span_is_remote, span_kind, name) = identity;
        let (attributes, dropped_attributes_count, events, links, status) = content;
        SpanData {
            span_context,
            // Half of them have none.
            parent_span_id: SpanId::from(if parent_span_is_remote { parent } else { 0 }),
            parent_span_is_remote,
            span_kind,
            name: name.into(),
            start_time,
            end_time,
            attributes,
            dropped_attributes_count,
            events,
            links,
            status,
            instrumentation_scope: InstrumentationScope::default(),
        }
    })
}

fn any_values() -> impl Strategy<Value = AnyValue> {
    let simple = prop_oneof![
        any::<bool>().prop_map(AnyValue::from),
        any::<i64>().prop_map(AnyValue::from),
        (-1e300..1e300).prop_map(AnyValue::from),
        texts().prop_map(AnyValue::from),
        vec(any::<u8>(), 0..300).prop_map(|bytes| AnyValue::Bytes(Box::new(bytes))),
    ];
    simple.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|values| AnyValue::ListAny(Box::new(values))),
            vec((texts(), inner), 0..2).prop_map(|values| {
                let values = values.into_iter().map(|(key, value)| (key.into(), value));
                AnyValue::Map(Box::new(values.collect()))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spans_are_encoded_as_opentelemetry_proto_does(data in spans()) {
        let decoded = Span::decode(&*span(&data)).expect("protobuf");
        let expected = Span::from(data);
        prop_assert_eq!(&decoded, &expected);
        prop_assert_eq!(decoded.encoded_len(), expected.encoded_len());
    }

    #[test]
    fn log_records_are_encoded_as_opentelemetry_proto_does(
        times in (proptest::option::of(times()), times()),
        texts in (texts(), proptest::option::of(any_values())),
        attributes in vec((texts(), any_values()), 0..7),
        context in proptest::option::of(contexts()),
    ) {
        let mut record = SdkLoggerProvider::builder().build().logger("").create_log_record();
        if let Some(at) = times.0 {
            record.set_timestamp(at);
        }
        record.set_observed_timestamp(times.1);
        record.set_severity_number(Severity::Warn2);
        record.set_severity_text("WARN");
        record.set_event_name("order.paid");
        record.add_attribute("text", texts.0);
        if let Some(body) = texts.1 {
            record.set_body(body);
        }
        record.add_attributes(attributes);
        if let Some(context) = context {
            let flags = context.trace_flags();
            record.set_trace_context(context.trace_id(), context.span_id(), Some(flags));
        }
        let message = log_record(&record);
        let expected = LogRecord::from(&record);
        prop_assert_eq!(message.len(), expected.encoded_len());
        prop_assert_eq!(LogRecord::decode(&*message).expect("protobuf"), expected);
    }
}
