//! Text that a client may choose: what comes out is bounded, valid text and valid OTLP.

use std::collections::BTreeSet;

use axum::{Router, body::Body, routing::get};
use http::{HeaderValue, Request};
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::metric::Data,
};
use rustok_telemetry::{
    http::{HealthRoutes, TelemetryLayer},
    metrics::{self, MAX_LABEL_VALUE_BYTES},
    prometheus_text, prometheus_text_for,
};
use tower::ServiceExt as _;

use crate::{
    receiver::{Received, Receiver},
    start,
    support::valid_text::assert_valid,
};

/// Values that some parser could take for something else.
fn values() -> Vec<String> {
    let mut values: Vec<_> = [
        "\"",
        "\"} 1\nforged_total{a=\"b\"} 1\n# EOF\n",
        "\\",
        "\\\"",
        "ends\\",
        "\n",
        "\r\n",
        "a\rb",
        "\0",
        "a\0b",
        "\u{1b}[31m\u{7f}\u{9b}",
        "\u{feff}bom",
        "a\u{2028}b\u{85}c",
        "\u{202e}desrever",
        "{a=\"b\",} # 1 {c=\"d\"}",
        "",
        " ",
        "\u{10ffff}\u{fffe}",
    ]
    .map(str::to_owned)
    .into();
    // Of invalid UTF-8, a `&str` can have the replacement only.
    values.push(String::from_utf8_lossy(b"\xff\xc3(\xed\xa0\x80").into_owned());
    let longest = "é".repeat(MAX_LABEL_VALUE_BYTES / 2);
    values.extend([format!("{longest}é"), longest]);
    values
        .extend(["x", "\"", "\n", "\0", "é"].map(|letter| letter.repeat((1 << 20) / letter.len())));
    values
}

/// The values of all labels in a text, without their escapes.
fn label_values(text: &str) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for line in text.split('\n').filter(|line| !line.starts_with('#')) {
        let mut value: Option<String> = None;
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match (&mut value, letter) {
                (Some(_), '"') => values.extend(value.take()),
                (Some(value), '\\') => value.push(match letters.next() {
                    Some('n') => '\n',
                    Some(escaped @ ('\\' | '"')) => escaped,
                    other => panic!("{other:?} is escaped: {line}"),
                }),
                (Some(value), letter) => value.push(letter),
                (None, '"') => value = Some(String::new()),
                (None, _) => {}
            }
        }
        assert_eq!(value, None, "{line}");
    }
    values
}

fn texts(attributes: &[KeyValue]) -> impl Iterator<Item = &str> {
    attributes.iter().filter_map(
        |attribute| match attribute.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.as_str()),
            _ => None,
        },
    )
}

/// The values of all attributes of data points.
fn exported_values(requests: &[Received]) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for metric in requests.iter().flat_map(Received::metrics) {
        let mut add = |attributes: &[KeyValue]| values.extend(texts(attributes).map(str::to_owned));
        match metric.data.expect("data") {
            Data::Sum(sum) => sum.data_points.iter().for_each(|it| add(&it.attributes)),
            Data::Gauge(gauge) => gauge.data_points.iter().for_each(|it| add(&it.attributes)),
            Data::Histogram(of) => of.data_points.iter().for_each(|it| add(&it.attributes)),
            other => panic!("{other:?}"),
        }
    }
    values
}

#[test_fork::test]
fn label_values_are_bounded_in_the_text_and_in_otlp() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
    ]);
    let values = values();
    for value in &values {
        metrics::record_event_published(value, value);
        metrics::update_queue_depth(value, 1);
        metrics::record_db_query_duration(value, value, 0.1);
    }
    let expected = values.iter().map(|value| match value.len() {
        0 => metrics::NONE,
        length if length > MAX_LABEL_VALUE_BYTES => metrics::OTHER,
        _ => value,
    });
    let expected: BTreeSet<_> = expected.map(str::to_owned).collect();

    let text = String::from_utf8(prometheus_text().expect("telemetry runs").body).expect("UTF-8");
    assert_valid(&text);
    assert!(text.len() < 1 << 20, "{}", text.len());
    let shown = label_values(&text);
    assert!(expected.is_subset(&shown), "{:?}", &expected - &shown);
    let open = prometheus_text_for("application/openmetrics-text").expect("telemetry runs");
    let open = String::from_utf8(open.body).expect("UTF-8");
    assert_eq!(open.lines().filter(|line| *line == "# EOF").count(), 1);
    assert!(expected.is_subset(&label_values(&open)));
    assert!(rustok_telemetry::health().to_json().to_string().len() < 1 << 16);

    assert!(telemetry.shutdown().is_complete());
    // Decoding fails for text that is not UTF-8.
    let requests = receiver.requests();
    let exported = exported_values(&requests);
    assert!(expected.is_subset(&exported), "{:?}", &expected - &exported);
    for value in shown.iter().chain(&exported) {
        assert!(value.len() <= MAX_LABEL_VALUE_BYTES, "{value}");
    }
    assert!(
        requests
            .iter()
            .all(|request| request.message.len() < 1 << 20)
    );
}

/// Bytes of a request that are not text are in no label and no attribute.
#[tokio::test]
#[test_fork::fork]
async fn requests_with_bytes_that_are_not_text_are_valid_spans() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
    ]);
    let layer = TelemetryLayer::new()
        .server_address()
        .client_address()
        .user_agent()
        .tenant_from_baggage()
        .trust_forwarded(1);
    let app = Router::new()
        .route("/items/{item}", get(async || "item"))
        .merge(HealthRoutes::new())
        .layer(layer);
    let long = "b".repeat(1 << 16);
    let bytes: [&[u8]; 6] = [
        b"\xff\xfe\xc3(",
        b"tenant_id=%FF%00%0A%22",
        b"tenant_id=\xff",
        b"for=\"\xff\\\"\";host=\xff;proto=\xff",
        b"00-\xff\xff-\xff-01",
        long.as_bytes(),
    ];
    let targets = [
        "/items/%ff%00%0a%22",
        "/items/a?%ff=%00%0a&b=%zz",
        "/%ff%00%0a%22",
        "/items/%ed%a0%80?%",
    ];
    let headers = [
        "baggage",
        "forwarded",
        "host",
        "traceparent",
        "tracestate",
        "user-agent",
    ];
    let mut sent = 0;
    for target in targets {
        for value in bytes {
            let mut request = Request::builder().uri(target).method("BR-EW");
            if sent % 2 == 0 {
                request = request.method("GET");
            }
            for header in headers {
                let value = HeaderValue::from_bytes(value).expect("a header may have these");
                request = request.header(header, value);
            }
            let request = request.body(Body::empty()).expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert!(
                matches!(response.status().as_u16(), 200 | 404 | 405),
                "{response:?}"
            );
            sent += 1;
        }
    }
    let text = String::from_utf8(prometheus_text().expect("telemetry runs").body).expect("UTF-8");
    assert_valid(&text);
    let values = label_values(&text);
    let is_of_client = |value: &&String| value.contains('%') || value.len() > MAX_LABEL_VALUE_BYTES;
    assert_eq!(values.iter().find(is_of_client), None);
    assert!(values.contains("/items/{item}") && values.contains("unmatched"));
    let report = tokio::task::spawn_blocking(|| telemetry.shutdown()).await;
    assert!(report.expect("no panic").is_complete());
    let spans = receiver.spans();
    assert_eq!(spans.len(), sent);
    for span in spans {
        let texts: Vec<_> = texts(&span.attributes).collect();
        let is_bounded = |text: &&str| text.len() <= MAX_LABEL_VALUE_BYTES || text.starts_with('/');
        assert!(texts.iter().all(is_bounded), "{texts:?}");
    }
}
