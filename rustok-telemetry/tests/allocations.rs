//! Recording on a known label set does not allocate, nor does recording past a budget, nor counting a span or a request,
//! nor a log event while the queue is full, nor reading the usual headers more than the context that they make.

mod support;

use std::{
    convert::Infallible,
    future::{Future, ready},
    net::TcpListener,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use rustok_telemetry::{
    http::{RouteTemplate, TelemetryLayer},
    metrics, propagation,
};
use tower::{Layer, Service, service_fn};
use tracing_subscriber::layer::SubscriberExt;

#[test_fork::test]
fn recording_does_not_allocate_at_steady_state() {
    let telemetry = support::text_only().init().expect("telemetry starts");
    let tenants: Vec<_> = (0..600).map(|tenant| format!("tenant-{tenant}")).collect();
    let record = || {
        metrics::record_cache_operation("tenant_cache", "get", "hit");
        metrics::update_queue_depth("in_memory", 3);
        metrics::record_db_query_duration("select", "products", 0.002);
        drop(metrics::time_db_query_duration("select", "products"));
        metrics::time_event_lag("ProductCreated").stop();
        metrics::time_event_lag("ProductCreated").discard();
        metrics::add_http_active_connections(1);
        metrics::record_module_error("catalog", "not_found", "warning");
        // The last hundred tenants are past the budget of the label.
        for tenant in &tenants {
            metrics::record_event_published("ProductCreated", tenant);
        }
    };
    record();
    let at_steady_state = measure(|| (0..100).for_each(|_| record()));
    assert_eq!(allocations(&at_steady_state), 0, "{at_steady_state:?}");
    // Within a sampled span every record is an exemplar. The first of a series allocates.
    let span = SpanContext::new(
        TraceId::from(1_u128),
        SpanId::from(1_u64),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let current = opentelemetry::Context::new().with_remote_span_context(span);
    let current = current.attach();
    record();
    let with_exemplars = measure(|| (0..100).for_each(|_| record()));
    assert_eq!(allocations(&with_exemplars), 0, "{with_exemplars:?}");
    drop(current);
    // The measurement itself works.
    assert!(allocations(&measure(|| drop(vec![0_u8; 10]))) > 0);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_span_that_is_counted_does_not_allocate_at_steady_state() {
    let builder = support::text_only().without_subscriber();
    let telemetry = builder.init().expect("telemetry starts");
    let subscriber = tracing_subscriber::registry().with(telemetry.span_metrics_layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    let spans = || {
        let outer = tracing::info_span!("outer", customer = "customer-0017", size = 3_u64);
        let _outer = outer.entered();
        let inner = tracing::info_span!("inner", otel.status_code = tracing::field::Empty);
        let inner = inner.entered();
        inner.record("otel.status_code", "ERROR");
        tracing::error!("failed");
    };
    // Ids change with each use of a place: what is kept by id has been at all of its places after a while.
    (0..2_000).for_each(|_| spans());
    let at_steady_state = measure(|| (0..1_000).for_each(|_| spans()));
    assert_eq!(allocations(&at_steady_state), 0, "{at_steady_state:?}");
    let text = support::text();
    support::assert_samples(
        &text,
        "rustok_span_duration_seconds_count",
        &[
            ("{operation=\"inner\"}", "3000"),
            ("{operation=\"outer\"}", "3000"),
        ],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_log_event_does_not_allocate_while_the_queue_is_full() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let variables = [
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "64"),
    ];
    let builder = support::with_variables(&variables).without_subscriber();
    let telemetry = builder.init().expect("telemetry starts");
    let layer = telemetry.log_export_layer().expect("a valid filter");
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
        .expect("the first one");
    let log = |records| (0..records).for_each(|number: u32| tracing::info!(number, "worked"));
    assert!(allocations(&measure(|| log(1))) > 0, "it is queued");
    log(1_000);
    let is_sending = || {
        let signals = rustok_telemetry::health().signals;
        let mut queues = signals.into_iter().rev().filter_map(|signal| signal.queue);
        queues.any(|queue| queue.exporting > 0)
    };
    while !is_sending() {
        std::thread::sleep(Duration::from_millis(10));
    }
    // The batch that is being sent has left the queue.
    log(1_000);
    let full = measure(|| log(100));
    assert_eq!(allocations(&full), 0, "{full:?}");
    let report = telemetry.shutdown_within(Duration::from_secs(1));
    let all = report.lost_log_records + report.unsent_log_records;
    assert_eq!(all, 2_101, "{report}");
}

#[test_fork::test]
fn a_span_that_is_not_sampled_allocates_its_context_alone() {
    let at_steady_state = allocations_of_spans("always_off");
    assert_eq!(at_steady_state, 1.0, "for each span");
}

#[test_fork::test]
fn an_exported_span_allocates_its_context_and_its_message() {
    let at_steady_state = allocations_of_spans("always_on");
    // OpenTelemetry boxes the span in its context, and the queue allocates a block for 31 messages.
    let expected = 3.0..3.0 + 1.0 / 16.0;
    assert!(expected.contains(&at_steady_state), "{at_steady_state}");
}

/// The allocations for each span of a nested pair with fields, one of which is recorded later.
fn allocations_of_spans(sampler: &str) -> f64 {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        // Nothing listens there.
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_TRACES_SAMPLER", sampler),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100000"),
    ];
    let builder = support::with_variables(&variables).without_subscriber();
    let telemetry = builder.init().expect("telemetry starts");
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    let spans = || {
        let outer = tracing::info_span!("outer", customer = "customer-0017", size = 3_u64);
        let _outer = outer.entered();
        let inner = tracing::info_span!("inner", done = tracing::field::Empty);
        let inner = inner.entered();
        inner.record("done", true);
    };
    // Ids change with each use of a place: what is kept by id has been at all of its places after a while.
    (0..5_000).for_each(|_| spans());
    let measured = measure(|| (0..1_000).for_each(|_| spans()));
    let _ = telemetry.shutdown_within(Duration::ZERO);
    allocations(&measured) as f64 / 2_000.0
}

#[test_fork::test]
fn the_http_layer_does_not_allocate_for_its_metrics_at_steady_state() {
    let text = text_of_requests(support::text_only());
    assert!(!text.contains("http_server_request_duration"), "{text}");
}

#[test_fork::test]
fn the_http_layer_does_not_allocate_for_semantic_metrics_at_steady_state() {
    let text = text_of_requests(support::text_only().with_semantic_http_metrics());
    let labels = "{http_request_method=\"GET\",http_response_status_code=\"200\",http_route=\"/api/products/{id}\",\
                  network_protocol_version=\"1.1\",url_scheme=\"http\"}";
    let name = "http_server_request_duration_seconds_count";
    support::assert_samples(&text, name, &[(labels, "101")]);
}

#[test_fork::test]
fn a_request_that_is_not_sampled_allocates_contexts_and_traceresponse_alone() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
    ];
    let builder = support::with_variables(&variables).without_subscriber();
    let telemetry = builder.init().expect("telemetry starts");
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    let (alone, served) = allocations_of_requests(5_000);
    // The contexts of the caller and of the span, the text of the header, and the two lists of a map with one header.
    assert_eq!(served - alone, 5 * 100);
    let _ = telemetry.shutdown_within(Duration::ZERO);
}

/// The text after requests, which have not allocated.
fn text_of_requests(builder: rustok_telemetry::Builder) -> String {
    // No spans, which OpenTelemetry allocates.
    let nobody = tracing::subscriber::NoSubscriber::new();
    tracing::subscriber::set_global_default(nobody).expect("the first one");
    let telemetry = builder
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let (alone, served) = allocations_of_requests(1);
    assert_eq!(served, alone);
    let labels = "{endpoint=\"/api/products/{id}\",method=\"GET\",status=\"200\"}";
    let name = "rustok_http_requests_by_endpoint";
    let text = support::text();
    support::assert_samples(&text, name, &[(labels, "101")]);
    let _ = telemetry.shutdown();
    text
}

/// The allocations for making a hundred requests whose caller does not sample, and for making and serving them, after
/// this many others.
fn allocations_of_requests(others: u32) -> (u64, u64) {
    let answer = |_| ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())));
    let mut service = TelemetryLayer::new().layer(service_fn(answer));
    let request = || {
        let request = Request::get("/api/products/17").header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        );
        let mut request = request.body(Empty::<Bytes>::new()).expect("a request");
        let route = RouteTemplate("/api/products/{id}".into());
        request.extensions_mut().insert(route);
        request
    };
    let mut serve = || {
        let answer = pin!(service.call(request()));
        let answer = answer.poll(&mut Context::from_waker(Waker::noop()));
        assert!(answer.is_ready());
    };
    (0..others).for_each(|_| serve());
    let alone = measure(|| (0..100).for_each(|_| drop(request())));
    let served = measure(|| (0..100).for_each(|_| serve()));
    (allocations(&alone), allocations(&served))
}

#[test_fork::test]
fn parsing_a_traceparent_does_not_allocate() {
    let telemetry = support::text_only().init().expect("telemetry starts");
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = http::HeaderMap::from_iter(
        [("host", "shop"), ("traceparent", parent), ("accept", "*/*")].map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                value.parse().expect("text"),
            )
        }),
    );
    let read = || propagation::extract_headers(&headers);
    let caller = read().span().span_context().clone();
    assert!(caller.is_valid());
    let made = || opentelemetry::Context::new().with_remote_span_context(caller.clone());
    let alone = measure(|| (0..100).for_each(|_| drop(made())));
    let read = measure(|| (0..100).for_each(|_| drop(read())));
    assert_eq!(allocations(&read), allocations(&alone), "{read:?}");
    let _ = telemetry.shutdown();
}

fn allocations(info: &AllocationInfo) -> u64 {
    info.count_total
}

#[test_fork::test]
fn recording_a_field_again_does_not_grow_memory() {
    let variables = [
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ];
    let config = rustok_telemetry::config::TelemetryConfig::from_vars(variables);
    let builder = rustok_telemetry::builder().config(config.expect("valid"));
    let telemetry = builder
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    let waiting = tracing::info_span!("waiting", progress = 0, tenant_id = "acme");
    let entered = tracing::info_span!("entered", progress = 0, tenant_id = "acme");
    let _entered = entered.clone().entered();
    let record = |times: u32| {
        for n in 0..times {
            waiting.record("progress", n).record("tenant_id", "globex");
            entered.record("progress", n).record("tenant_id", "globex");
        }
    };
    record(500);
    let many = measure(|| record(100_000));
    assert!(many.bytes_max < 10_000, "{many:?}");
    let _ = telemetry.shutdown();
}
