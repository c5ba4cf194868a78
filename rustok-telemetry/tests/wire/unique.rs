//! Attributes are unique, and the last value of a key is that which arrives.

use axum::{Router, body::Body, routing::get};
use http_body_util::BodyExt;
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId, global,
    trace::{Span as _, SpanContext, TraceContextExt, TraceState, Tracer},
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use rustok_telemetry::{http::TelemetryLayer, tenant};
use tower::ServiceExt;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    receiver::Receiver,
    start,
    values::{span, text, value},
};

fn linked() -> SpanContext {
    let (trace, span) = (TraceId::from(1), SpanId::from(1));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE)
}

#[test_fork::test]
fn the_last_value_of_a_key_arrives() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
    ]);
    drop(tracing::info_span!("created", key = "first", key = 2_u64));
    for (name, times) in [("recorded once", 1), ("recorded often", 200)] {
        let waiting = tracing::info_span!("work", otel.name = name, key = 0, n = Empty);
        for n in 1..=times {
            waiting.record("key", n).record("n", n);
        }
        let name = format!("{name}, entered");
        let entered = tracing::info_span!("work", otel.name = name, key = 0, n = Empty).entered();
        for n in 1..=times {
            entered.record("key", n).record("n", n);
        }
    }
    let set = tracing::info_span!("set", key = "field", own = 1);
    set.set_attribute("key", "waiting");
    set.in_scope(|| {
        set.set_attribute("own", 2);
        Context::current()
            .span()
            .set_attribute(KeyValue::new("key", "current"));
        tracing::info!(key = "first", key = "last", target = "shop", "event");
        let attributes = vec![KeyValue::new("key", 1), KeyValue::new("key", 2)];
        Context::current()
            .span()
            .add_event("of the API", attributes);
    });
    let repeated = || vec![KeyValue::new("key", "first"), KeyValue::new("key", "last")];
    set.add_link_with_attributes(linked(), repeated());
    drop(set);
    let unstarted = tracing::info_span!("unstarted");
    unstarted.add_link_with_attributes(linked(), repeated());
    unstarted.add_event("early", repeated());
    drop(unstarted);
    let of_api = global::tracer("another library");
    let builder = of_api
        .span_builder("of the API")
        .with_attributes(repeated());
    let mut of_api = of_api.build(builder);
    of_api.set_attribute(KeyValue::new("key", "later"));
    of_api.set_attributes([KeyValue::new("n", 1), KeyValue::new("n", 2)]);
    of_api.end();
    of_api.set_attribute(KeyValue::new("key", "after its end"));
    assert!(telemetry.shutdown().is_complete());

    let created = span(&receiver, "created");
    assert_eq!(value(&created.attributes, "key"), Some(&Value::IntValue(2)));
    for (name, times) in [("recorded once", 1), ("recorded often", 200)] {
        for name in [name.to_owned(), format!("{name}, entered")] {
            let span = span(&receiver, &name);
            for key in ["key", "n"] {
                let value = value(&span.attributes, key);
                assert_eq!(value, Some(&Value::IntValue(times)), "{name}: {key}");
            }
            assert_eq!(span.dropped_attributes_count, 0, "{name}");
        }
    }
    let set = span(&receiver, "set");
    assert_eq!(value(&set.attributes, "key"), Some(&text("current")));
    assert_eq!(value(&set.attributes, "own"), Some(&Value::IntValue(2)));
    assert_eq!(value(&set.events[0].attributes, "key"), Some(&text("last")));
    assert_eq!(
        value(&set.events[0].attributes, "target"),
        Some(&text("shop"))
    );
    assert_eq!(
        value(&set.events[1].attributes, "key"),
        Some(&Value::IntValue(2))
    );
    assert_eq!(value(&set.links[0].attributes, "key"), Some(&text("last")));
    let unstarted = span(&receiver, "unstarted");
    assert_eq!(
        value(&unstarted.links[0].attributes, "key"),
        Some(&text("last"))
    );
    assert_eq!(
        value(&unstarted.events[0].attributes, "key"),
        Some(&text("last"))
    );
    let of_api = span(&receiver, "of the API");
    assert_eq!(value(&of_api.attributes, "key"), Some(&text("later")));
    assert_eq!(value(&of_api.attributes, "n"), Some(&Value::IntValue(2)));
    let records = receiver.only("logs").log_records();
    assert_eq!(value(&records[0].attributes, "key"), Some(&text("last")));
    assert_eq!(value(&records[0].attributes, "target"), Some(&text("shop")));
}

async fn handle() {
    tenant::set("from-token");
    tracing::info!("handled");
}

#[tokio::test]
#[test_fork::fork]
async fn the_tenant_of_a_token_wins_over_the_claim_of_a_caller() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
    ]);
    let layer = TelemetryLayer::new().tenant_from_baggage();
    let service = Router::new().route("/orders", get(handle)).layer(layer);
    let request = http::Request::get("/orders").header("baggage", "tenant_id=acme");
    let request = request.body(Body::empty()).expect("a request");
    let response = service.oneshot(request).await.expect("a response");
    drop(response.into_body().collect().await.expect("a body"));
    {
        // The tenant of a span is inherited, and then another.
        let _around = tracing::info_span!("around", tenant_id = "acme").entered();
        let _within = tracing::info_span!("within").entered();
        tenant::set("acme-2");
        let _own = tracing::info_span!("own").entered();
        tracing::Span::current().set_attribute("tenant_id", "globex");
    }
    let report = tokio::task::spawn_blocking(|| telemetry.shutdown()).await;
    assert!(report.expect("no panic").is_complete());
    let request = span(&receiver, "GET /orders");
    assert_eq!(
        value(&request.attributes, "tenant_id"),
        Some(&text("from-token"))
    );
    let around = span(&receiver, "around");
    assert_eq!(
        value(&around.attributes, "tenant_id"),
        Some(&text("acme-2"))
    );
    let own = span(&receiver, "own");
    assert_eq!(value(&own.attributes, "tenant_id"), Some(&text("globex")));
    let records = receiver.only("logs").log_records();
    assert_eq!(
        value(&records[0].attributes, "tenant_id"),
        Some(&text("from-token"))
    );
}

#[test_fork::test]
fn a_repeated_key_counts_once_in_a_limit() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        // One is the target, which tracing-opentelemetry adds.
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "4"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "3"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "2"),
    ]);
    let span_of = tracing::info_span!("work", a = 1, a = 2, b = 1, c = Empty, d = Empty).entered();
    for n in 1..=100 {
        span_of.record("b", n).record("c", n);
    }
    span_of.record("d", 1).record("d", 2).record("a", 3);
    tracing::info!(e = 1, e = 2, e = 3, "event");
    let attributes = ["k", "k", "l", "m"].map(|key| KeyValue::new(key, 1));
    Context::current()
        .span()
        .add_link(linked(), attributes.to_vec());
    drop(span_of);
    let full = tracing::info_span!("full").entered();
    for n in 0..1_000 {
        full.set_attribute(format!("key {n}"), n);
        full.set_attribute("key 0", n);
    }
    drop(full);
    assert!(telemetry.shutdown().is_complete());
    let span_of = span(&receiver, "work");
    let ints = ["a", "b", "c", "d"].map(|key| value(&span_of.attributes, key).cloned());
    let expected = [Some(3), Some(100), Some(100), None];
    assert_eq!(ints, expected.map(|int| int.map(Value::IntValue)));
    assert!(
        (1..=2).contains(&span_of.dropped_attributes_count),
        "{span_of:?}"
    );
    let event = &span_of.events[0];
    assert_eq!(value(&event.attributes, "e"), Some(&Value::IntValue(3)));
    assert_eq!(
        (event.attributes.len(), event.dropped_attributes_count),
        (3, 0)
    );
    let link = &span_of.links[0];
    assert_eq!(
        (link.attributes.len(), link.dropped_attributes_count),
        (2, 1)
    );
    let full = span(&receiver, "full");
    assert_eq!(
        value(&full.attributes, "key 0"),
        Some(&Value::IntValue(999))
    );
    assert_eq!(
        (full.attributes.len(), full.dropped_attributes_count),
        (4, 997)
    );
}
