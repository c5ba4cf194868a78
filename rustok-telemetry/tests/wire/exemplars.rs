//! Exemplars: which span they name, as a receiver gets them, and in OpenMetrics.

use std::{
    future::pending,
    task::{Context, Waker},
    thread::sleep,
    time::Duration,
};

use axum::{Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt;
use opentelemetry::{
    global,
    trace::{Span as _, TraceContextExt, Tracer},
};
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, HistogramDataPoint, exemplar::Value, metric::Data,
};
use rustok_telemetry::{
    ErrorType, Telemetry, database, http::TelemetryLayer, metrics, prometheus_text_for,
};
use tower::ServiceExt;

use crate::{
    receiver::{Received, Receiver},
    start,
    values::span,
};

#[rustok_telemetry::metrics(namespace = "exemplars")]
mod declared {
    /// Rows written.
    #[counter(name = "rows_total")]
    pub(super) fn record_rows(table: &str, rows: u64);

    /// Time spent waiting.
    #[histogram(name = "wait_seconds", boundaries = [0.25, 0.5, 1.0])]
    pub(super) fn record_wait(queue: &str, seconds: f64);
}

const WAIT: &str = "exemplars_wait_seconds";
const ROWS: &str = "exemplars_rows_total";
/// Exports of metrics happen at the end only.
const INTERVAL: &str = "600000";

fn telemetry(receiver: &Receiver, variables: &[(&str, &str)]) -> Telemetry {
    let endpoint = receiver.plain();
    let mut all = vec![
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_METRIC_EXPORT_INTERVAL", INTERVAL),
    ];
    all.extend(variables);
    start(&all)
}

/// The exemplars of a metric in one request.
fn exemplars(request: &Received, metric: &str) -> Vec<Exemplar> {
    let metrics = request.metrics().into_iter();
    let data = metrics.filter_map(|found| (found.name == metric).then_some(found.data)?);
    data.flat_map(|data| match data {
        Data::Sum(sum) => {
            let points = sum.data_points.into_iter();
            points.flat_map(|point| point.exemplars).collect::<Vec<_>>()
        }
        Data::Histogram(histogram) => {
            let points = histogram.data_points.into_iter();
            points
                .flat_map(|HistogramDataPoint { exemplars, .. }| exemplars)
                .collect()
        }
        other => panic!("{metric} is {other:?}"),
    })
    .collect()
}

/// The exemplars of a metric in the last export.
fn last_exemplars(receiver: &Receiver, metric: &str) -> Vec<Exemplar> {
    let requests = receiver.requests();
    let mut of_metrics = requests.iter().filter(|request| request.is_of("metrics"));
    exemplars(of_metrics.next_back().expect("an export"), metric)
}

fn value(exemplar: &Exemplar) -> f64 {
    match exemplar.value {
        Some(Value::AsDouble(value)) => value,
        other => panic!("{other:?}"),
    }
}

/// Asserts that a metric has one exemplar, of the exported span with this name.
#[track_caller]
fn assert_names_span(receiver: &Receiver, metric: &str, name: &str) -> Exemplar {
    let found = last_exemplars(receiver, metric);
    let [exemplar] = &found[..] else {
        panic!("{metric} has one exemplar: {found:#?}");
    };
    let span = span(receiver, name);
    assert_eq!(exemplar.trace_id, span.trace_id, "{metric} names {name}");
    assert_eq!(exemplar.span_id, span.span_id, "{metric} names {name}");
    let times = span.start_time_unix_nano..=span.end_time_unix_nano + 1_000_000_000;
    assert!(times.contains(&exemplar.time_unix_nano), "{metric}");
    exemplar.clone()
}

#[test_fork::test]
fn each_bucket_has_the_latest_value_of_a_sampled_span() {
    let receiver = Receiver::start();
    let telemetry = telemetry(&receiver, &[]);
    declared::record_wait("a", 0.1);
    for (name, seconds) in [("first", 0.1), ("second", 0.2), ("third", 2.0)] {
        tracing::info_span!("outer", otel.name = name).in_scope(|| {
            declared::record_wait("a", seconds);
            declared::record_rows("orders", 3);
        });
    }
    declared::record_wait("a", 0.3);
    assert!(telemetry.shutdown().is_complete());

    let waits = last_exemplars(&receiver, WAIT);
    assert_eq!(waits.iter().map(value).collect::<Vec<_>>(), [0.2, 2.0]);
    for (exemplar, name) in waits.iter().zip(["second", "third"]) {
        let span = span(&receiver, name);
        assert_eq!(exemplar.trace_id, span.trace_id);
        assert_eq!(exemplar.span_id, span.span_id);
    }
    let rows = assert_names_span(&receiver, ROWS, "third");
    assert!((value(&rows) - 3.0).abs() < f64::EPSILON);
}

#[test_fork::test]
fn spans_of_the_opentelemetry_api_are_named() {
    let receiver = Receiver::start();
    let telemetry = telemetry(&receiver, &[]);
    let span = global::tracer("other").start("api");
    let attached = opentelemetry::Context::current_with_span(span).attach();
    declared::record_rows("orders", 1);
    tracing::info_span!("inner").in_scope(|| declared::record_wait("a", 0.1));
    drop(attached);
    declared::record_rows("orders", 1);
    let mut span = global::tracer("other").start("never current");
    span.end();
    assert!(telemetry.shutdown().is_complete());
    assert_names_span(&receiver, ROWS, "api");
    assert_names_span(&receiver, WAIT, "inner");
}

#[derive(Debug, ErrorType)]
enum Failure {}

/// Requests, queries and spans are recorded when their span has been left.
#[tokio::test]
#[test_fork::fork]
async fn exemplars_name_the_span_that_is_measured() {
    let receiver = Receiver::start();
    let telemetry = telemetry(&receiver, &[]);
    let handler = || async {
        let query = database::query("select", "products", async { Ok::<_, Failure>(()) });
        query.await.expect("no failure");
        "a product"
    };
    let app = Router::new()
        .route("/products", get(handler))
        .layer(TelemetryLayer::new());
    let request = Request::get("/products").body(Body::empty());
    let request = request.expect("a request");
    let outer = tracing::info_span!("outer");
    let response = app.oneshot(request).await.expect("infallible");
    let body = outer.in_scope(|| response.into_body().collect());
    body.await.expect("a body");
    drop(outer);
    assert!(telemetry.shutdown().is_complete());
    for metric in [
        "rustok_http_request_duration_seconds",
        "rustok_http_requests_total",
        "rustok_http_response_size_bytes",
    ] {
        assert_names_span(&receiver, metric, "GET /products");
    }
    let query = "rustok_database_query_duration_seconds";
    assert_names_span(&receiver, query, "SELECT products");
    let durations = last_exemplars(&receiver, "rustok_span_duration_seconds");
    for name in ["GET /products", "SELECT products"] {
        let span = span(&receiver, name);
        let exemplar = durations.iter().find(|one| one.span_id == span.span_id);
        let seconds = value(exemplar.unwrap_or_else(|| panic!("{name}: {durations:?}")));
        let nanoseconds = span.end_time_unix_nano - span.start_time_unix_nano;
        let exported = Duration::from_nanos(nanoseconds).as_secs_f64();
        assert!((seconds - exported).abs() < 0.05, "{seconds} {exported}");
    }
}

#[test_fork::test]
fn a_cancelled_query_is_named() {
    let receiver = Receiver::start();
    let telemetry = telemetry(&receiver, &[]);
    let work = pending::<Result<(), Failure>>();
    let mut query = Box::pin(database::query("select", "slow", work));
    let context = &mut Context::from_waker(Waker::noop());
    assert!(query.as_mut().poll(context).is_pending());
    sleep(Duration::from_millis(20));
    tracing::info_span!("another").in_scope(|| drop(query));
    assert!(telemetry.shutdown().is_complete());
    let query = "rustok_database_query_duration_seconds";
    let exemplar = assert_names_span(&receiver, query, "SELECT slow");
    assert!(value(&exemplar) >= 0.02, "{exemplar:?}");
    assert_names_span(&receiver, "rustok_spans_cancelled_total", "SELECT slow");
}

#[test_fork::test]
fn spans_that_are_not_sampled_leave_no_exemplar() {
    let receiver = Receiver::start();
    let telemetry = telemetry(&receiver, &[("OTEL_TRACES_SAMPLER", "always_off")]);
    tracing::info_span!("outer").in_scope(|| declared::record_wait("a", 0.1));
    assert!(telemetry.shutdown().is_complete());
    for metric in [WAIT, "rustok_span_duration_seconds"] {
        assert_eq!(last_exemplars(&receiver, metric), []);
    }
}

#[test_fork::test]
fn the_filter_always_off_keeps_no_exemplar() {
    let receiver = Receiver::start();
    let filter = ("OTEL_METRICS_EXEMPLAR_FILTER", "always_off");
    let telemetry = telemetry(&receiver, &[filter]);
    tracing::info_span!("outer").in_scope(|| declared::record_wait("a", 0.1));
    assert!(telemetry.shutdown().is_complete());
    for metric in [WAIT, "rustok_span_duration_seconds"] {
        assert_eq!(last_exemplars(&receiver, metric), []);
    }
}

#[test_fork::test]
fn the_filter_always_on_keeps_values_outside_of_spans() {
    let receiver = Receiver::start();
    let filter = ("OTEL_METRICS_EXEMPLAR_FILTER", "always_on");
    let telemetry = telemetry(&receiver, &[filter, ("OTEL_TRACES_SAMPLER", "always_off")]);
    declared::record_rows("orders", 7);
    tracing::info_span!("outer").in_scope(|| declared::record_wait("a", 0.1));
    let text = openmetrics();
    assert!(
        text.contains("exemplars_rows_total{table=\"orders\"} 7 # {} 7.0 "),
        "{text}"
    );
    assert!(telemetry.shutdown().is_complete());
    let rows = last_exemplars(&receiver, ROWS);
    assert_eq!(rows.iter().map(value).collect::<Vec<_>>(), [7.0]);
    assert!(rows[0].trace_id.is_empty() && rows[0].span_id.is_empty());
    let waits = last_exemplars(&receiver, WAIT);
    assert_eq!([waits[0].trace_id.len(), waits[0].span_id.len()], [16, 8]);
}

/// A delta has the exemplars of its interval.
#[test_fork::test]
fn delta_exports_exemplars_of_their_interval() {
    let receiver = Receiver::start();
    let preference = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    let telemetry = telemetry(&receiver, &[(preference, "delta")]);
    tracing::info_span!("outer").in_scope(|| {
        declared::record_rows("orders", 1);
        declared::record_wait("a", 0.1);
        declared::record_wait("a", 0.3);
    });
    assert!(telemetry.force_flush(Duration::from_secs(10)).is_complete());
    for metric in [ROWS, "exemplars_wait_seconds"] {
        let found = last_exemplars(&receiver, metric);
        let span = span(&receiver, "outer");
        assert!(!found.is_empty(), "{metric}");
        for exemplar in found {
            assert_eq!(exemplar.span_id, span.span_id, "{metric}");
        }
    }
    assert_eq!(last_exemplars(&receiver, WAIT).len(), 2);
    let text = openmetrics();
    assert!(text.contains("exemplars_wait_seconds_bucket{queue=\"a\",le=\"0.25\"} 1 # {trace_id="));
    declared::record_rows("orders", 1);
    declared::record_wait("a", 0.1);
    assert!(telemetry.shutdown().is_complete());
    assert_eq!(last_exemplars(&receiver, ROWS), []);
    assert_eq!(last_exemplars(&receiver, WAIT), []);
}

fn openmetrics() -> String {
    let text = prometheus_text_for("application/openmetrics-text");
    String::from_utf8(text.expect("telemetry runs").body).expect("text")
}

#[test_fork::test]
fn openmetrics_has_exemplars_of_buckets_and_counters() {
    let receiver = Receiver::start();
    let telemetry = telemetry(&receiver, &[]);
    let ids = tracing::info_span!("outer").in_scope(|| {
        declared::record_rows("orders", 3);
        declared::record_wait("a", 0.3);
        metrics::record_http_request_by_endpoint("GET", "/", "200");
        let context = opentelemetry::Context::current();
        let span = context.span().span_context().clone();
        format!(
            "{{trace_id=\"{}\",span_id=\"{}\"}}",
            span.trace_id(),
            span.span_id()
        )
    });
    let text = openmetrics();
    for part in [
        "# HELP exemplars_rows Rows written.\n# TYPE exemplars_rows counter\n",
        &format!("exemplars_rows_total{{table=\"orders\"}} 3 # {ids} 3.0 "),
        "# TYPE exemplars_wait_seconds histogram\n# UNIT exemplars_wait_seconds seconds\n",
        &format!("exemplars_wait_seconds_bucket{{queue=\"a\",le=\"0.5\"}} 1 # {ids} 0.3 "),
        "exemplars_wait_seconds_bucket{queue=\"a\",le=\"1.0\"} 1\n",
        "exemplars_wait_seconds_bucket{queue=\"a\",le=\"+Inf\"} 1\n",
        "# TYPE rustok_http_requests_by_endpoint unknown\n",
        "rustok_http_requests_by_endpoint{endpoint=\"/\",method=\"GET\",status=\"200\"} 1\n",
        "# TYPE target info\ntarget_info{",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let plain = prometheus_text_for("").expect("telemetry runs").body;
    assert!(!String::from_utf8_lossy(&plain).contains(" # {"));
    assert!(telemetry.shutdown().is_complete());
}
