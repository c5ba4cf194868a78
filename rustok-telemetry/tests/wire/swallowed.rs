//! A connection that stays open and answers nothing: exports go on by a new one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use rustok_telemetry::Telemetry;

use crate::{
    certificates::Authority,
    proxy::{Proxy, Swallowed},
    receiver::{Behaviour, Receiver},
    start,
};

const TIMEOUT: Duration = Duration::from_secs(1);

/// Starts one signal, whose exports follow each other soon and are given up after a second.
fn start_signal(signal: &str, protocol: &str, endpoint: &str, more: &[(&str, &str)]) -> Telemetry {
    let otlp = |of: &str| if of == signal { "otlp" } else { "none" };
    let variables = [
        ("OTEL_TRACES_EXPORTER", otlp("traces")),
        ("OTEL_METRICS_EXPORTER", otlp("metrics")),
        ("OTEL_LOGS_EXPORTER", otlp("logs")),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "100"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ];
    start(&[&variables, more].concat())
}

fn successes(signal: &str) -> u64 {
    let signals = rustok_telemetry::health().signals;
    let mut signals = signals.iter().filter(|health| health.name == signal);
    signals.next().expect("the signal").successes
}

/// Records until one more export succeeds; how long that took.
#[track_caller]
fn export_one(signal: &str) -> Duration {
    let (before, started) = (successes(signal), Instant::now());
    while successes(signal) == before {
        drop(tracing::info_span!("work"));
        tracing::info!("done");
        let health = rustok_telemetry::health();
        assert!(started.elapsed() < Duration::from_secs(10), "{health:?}");
        sleep(Duration::from_millis(20));
    }
    started.elapsed()
}

/// An export succeeds by the time that two need to be given up.
#[track_caller]
fn recovers(signal: &str, proxy: &Proxy) {
    let took = export_one(signal);
    assert!(took < TIMEOUT * 5 / 2, "{took:?}");
    assert_eq!(proxy.accepted(), 2);
    // It stays so.
    for _ in 0..3 {
        export_one(signal);
    }
    assert_eq!(proxy.accepted(), 2);
}

fn after_a_success(signal: &str, protocol: &str, swallowed: Swallowed) {
    let receiver = Receiver::start();
    let proxy = Proxy::start(receiver.address, swallowed);
    let telemetry = start_signal(signal, protocol, &proxy.plain(), &[]);
    export_one(signal);
    proxy.swallow_open_connections();
    recovers(signal, &proxy);
    drop(telemetry);
}

#[test_fork::test]
fn spans_over_grpc_take_a_new_connection() {
    after_a_success("traces", "grpc", Swallowed::Everything);
}

#[test_fork::test]
fn metrics_over_grpc_take_a_new_connection() {
    after_a_success("metrics", "grpc", Swallowed::Everything);
}

#[test_fork::test]
fn log_records_over_grpc_take_a_new_connection() {
    after_a_success("logs", "grpc", Swallowed::Everything);
}

#[test_fork::test]
fn swallowed_answers_over_grpc_are_found() {
    after_a_success("traces", "grpc", Swallowed::Answers);
}

#[test_fork::test]
fn swallowed_answers_for_metrics_over_grpc_are_found() {
    after_a_success("metrics", "grpc", Swallowed::Answers);
}

#[test_fork::test]
fn spans_over_http_take_a_new_connection() {
    after_a_success("traces", "http/protobuf", Swallowed::Everything);
}

#[test_fork::test]
fn metrics_over_http_take_a_new_connection() {
    after_a_success("metrics", "http/protobuf", Swallowed::Answers);
}

fn before_a_success(signal: &str, protocol: &str) {
    let receiver = Receiver::start();
    let proxy = Proxy::start(receiver.address, Swallowed::Everything);
    proxy.swallow_first(1);
    let telemetry = start_signal(signal, protocol, &proxy.plain(), &[]);
    recovers(signal, &proxy);
    drop(telemetry);
}

#[test_fork::test]
fn a_first_connection_over_grpc_that_is_swallowed_is_replaced() {
    before_a_success("traces", "grpc");
}

#[test_fork::test]
fn a_first_connection_over_http_that_is_swallowed_is_replaced() {
    before_a_success("traces", "http/protobuf");
}

#[test_fork::test]
fn a_tls_connection_that_is_swallowed_is_replaced() {
    let authority = Authority::new("swallowed");
    let receiver = Receiver::with(Behaviour {
        tls: Some(authority.server(false)),
        ..Behaviour::default()
    });
    let proxy = Proxy::start(receiver.address, Swallowed::Everything);
    let trusted = authority.certificate();
    let trusted = [("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str())];
    let telemetry = start_signal("traces", "grpc", &proxy.secure(), &trusted);
    export_one("traces");
    proxy.swallow_open_connections();
    recovers("traces", &proxy);
    drop(telemetry);
}

/// HTTP/2 lives, as with a proxy that has lost the server behind it: pings are answered, requests are not.
fn pings_are_answered(signal: &str) {
    let silent = Arc::new(AtomicUsize::new(0));
    let receiver = Receiver::with(Behaviour {
        silent_connections: Arc::clone(&silent),
        ..Behaviour::default()
    });
    let proxy = Proxy::start(receiver.address, Swallowed::Everything);
    let telemetry = start_signal(signal, "grpc", &proxy.plain(), &[]);
    export_one(signal);
    silent.store(1, Ordering::SeqCst);
    recovers(signal, &proxy);
    drop(telemetry);
}

#[test_fork::test]
fn spans_are_not_sent_for_ever_where_only_pings_are_answered() {
    pings_are_answered("traces");
}

#[test_fork::test]
fn metrics_are_not_sent_for_ever_where_only_pings_are_answered() {
    pings_are_answered("metrics");
}

/// Requests with pauses between them. A server of gRPC closes a connection with more than two pings between two answers.
fn is_pinged(delay: Duration, pause: Duration, most: usize) {
    let receiver = Receiver::with(Behaviour {
        delay,
        ..Behaviour::default()
    });
    let proxy = Proxy::start(receiver.address, Swallowed::Everything);
    let telemetry = start_signal("traces", "grpc", &proxy.plain(), &[]);
    for _ in 0..4 {
        export_one("traces");
        sleep(pause);
    }
    let traces = &rustok_telemetry::health().signals[0];
    assert_eq!((traces.failures, proxy.accepted()), (0, 1), "{traces:?}");
    let (pings, requests) = (proxy.pings()[0], receiver.requests().len());
    assert!(
        pings <= most * requests,
        "{pings} pings, {requests} requests"
    );
    drop(telemetry);
}

#[test_fork::test]
fn a_slow_collector_is_pinged_once_a_request() {
    is_pinged(TIMEOUT * 8 / 10, Duration::ZERO, 1);
}

#[test_fork::test]
fn a_slow_collector_is_pinged_twice_a_request_after_pauses() {
    is_pinged(TIMEOUT * 8 / 10, TIMEOUT, 2);
}

#[test_fork::test]
fn a_fast_collector_is_not_pinged() {
    is_pinged(Duration::ZERO, Duration::ZERO, 0);
}

#[test_fork::test]
fn a_fast_collector_is_pinged_once_a_request_after_pauses() {
    is_pinged(Duration::ZERO, TIMEOUT, 1);
}
