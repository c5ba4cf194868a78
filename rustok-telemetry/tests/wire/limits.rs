//! Limits of spans and log records.

use opentelemetry::trace::TraceContextExt;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{receiver::Receiver, start};

fn text<'attributes>(attributes: &'attributes [KeyValue], key: &str) -> Option<&'attributes str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// A span with an event and a link, all with texts.
fn spans() {
    let span = tracing::info_span!("work", city = "Zürich", count = 123_456);
    let texts = ["abcdef", "g"]
        .map(opentelemetry::StringValue::from)
        .to_vec();
    let list = opentelemetry::Value::Array(opentelemetry::Array::String(texts));
    span.set_attribute("list", list);
    let context = opentelemetry::trace::SpanContext::new(
        opentelemetry::TraceId::from(1),
        opentelemetry::SpanId::from(1),
        opentelemetry::TraceFlags::SAMPLED,
        true,
        opentelemetry::trace::TraceState::NONE,
    );
    let attribute = opentelemetry::KeyValue::new("linked", "Zürich");
    span.add_link_with_attributes(context, vec![attribute]);
    span.in_scope(|| tracing::info!(street = "Bahnhofstraße", "arrived"));
}

#[test_fork::test]
fn texts_of_spans_are_cut_everywhere() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4"),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "2"),
    ]);
    spans();
    assert!(telemetry.shutdown().is_complete());
    let spans = receiver.spans();
    let span = spans
        .iter()
        .find(|span| span.name == "work")
        .expect("the span");
    assert_eq!(text(&span.attributes, "city"), Some("Züri"));
    let list = span
        .attributes
        .iter()
        .find(|it| it.key == "list")
        .expect("the list");
    let Some(AnyValue {
        value: Some(Value::ArrayValue(list)),
    }) = &list.value
    else {
        panic!("{list:?}");
    };
    let list: Vec<_> = list
        .values
        .iter()
        .map(|value| value.value.clone())
        .collect();
    let texts = ["abcd", "g"].map(|text| Some(Value::StringValue(text.to_owned())));
    assert_eq!(list, texts);
    assert_eq!(text(&span.events[0].attributes, "street"), Some("Bahn"));
    assert_eq!(span.events[0].name, "arrived", "no attribute");
    assert_eq!(text(&span.links[0].attributes, "linked"), Some("Züri"));
    let number = span
        .attributes
        .iter()
        .find(|it| it.key == "count")
        .expect("the number");
    assert!(matches!(
        number.value.as_ref().and_then(|value| value.value.as_ref()),
        Some(Value::IntValue(123_456))
    ));

    let records = receiver.only("logs").log_records();
    assert_eq!(
        text(&records[0].attributes, "street"),
        Some("Ba"),
        "its own limit"
    );
}

#[test_fork::test]
fn texts_of_log_records_are_cut_and_attributes_left_out() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3"),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "2"),
    ]);
    let span = tracing::info_span!("request", tenant_id = "acme");
    span.in_scope(|| tracing::info!(a = "1234", b = "äöüß", c = "x", "the body is whole"));
    assert!(telemetry.shutdown().is_complete());
    let records = receiver.only("logs").log_records();
    let record = &records[0];
    assert_eq!(record.attributes.len(), 3, "{record:?}");
    assert_eq!(text(&record.attributes, "a"), Some("123"));
    assert_eq!(text(&record.attributes, "b"), Some("äöü"));
    assert_eq!(text(&record.attributes, "tenant_id"), Some("acm"));
    let body = record.body.as_ref().and_then(|body| body.value.clone());
    assert_eq!(
        body,
        Some(Value::StringValue("the body is whole".to_owned()))
    );
}

#[test_fork::test]
fn counts_of_attributes_events_and_links_are_kept() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "2"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "0"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1"),
    ]);
    let span = tracing::info_span!("work", a = 1, b = 2);
    span.in_scope(|| {
        for _ in 0..3 {
            tracing::info!(c = 3, d = 4, "event");
        }
    });
    let other = tracing::info_span!("other");
    span.add_link(other.context().span().span_context().clone());
    drop((span, other));
    assert!(telemetry.shutdown().is_complete());
    let spans = receiver.spans();
    let span = spans
        .iter()
        .find(|span| span.name == "work")
        .expect("the span");
    assert_eq!(span.attributes.len(), 1);
    assert!(span.dropped_attributes_count >= 1);
    assert_eq!((span.events.len(), span.dropped_events_count), (2, 1));
    assert_eq!((span.links.len(), span.dropped_links_count), (0, 1));
    assert_eq!(span.events[0].attributes.len(), 1);
}

/// A span with more of everything than its limits allow.
#[test_fork::test]
fn each_limit_of_a_span_is_its_own() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "100"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "5"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "2"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "3"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "2"),
    ]);
    let span = tracing::info_span!("work");
    for i in 0..10 {
        span.set_attribute(format!("attribute_{i}"), "abcdef");
        let context = opentelemetry::trace::SpanContext::new(
            opentelemetry::TraceId::from(1),
            opentelemetry::SpanId::from(i + 1),
            opentelemetry::TraceFlags::SAMPLED,
            true,
            opentelemetry::trace::TraceState::NONE,
        );
        let attributes =
            (0..4).map(|j| opentelemetry::KeyValue::new(format!("of_link_{j}"), "abcdef"));
        span.add_link_with_attributes(context, attributes.collect());
        span.in_scope(|| tracing::info!(one = 1, two = 2, "event"));
    }
    drop(span);
    assert!(telemetry.shutdown().is_complete());
    let spans = receiver.spans();
    let span = spans
        .iter()
        .find(|span| span.name == "work")
        .expect("the span");
    assert_eq!(span.attributes.len(), 5);
    assert_eq!(text(&span.attributes, "attribute_0"), Some("abc"));
    assert_eq!((span.events.len(), span.links.len()), (2, 3));
    assert!(span.events.iter().all(|event| event.attributes.len() == 1));
    assert!(span.links.iter().all(|link| link.attributes.len() == 2));
    assert!(span.dropped_attributes_count > 0);
    assert!(span.dropped_events_count > 0 && span.dropped_links_count > 0);
}
