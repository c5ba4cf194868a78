//! What was recorded is at the receiver when a flush returns, or the report says what is not.

use std::{
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use opentelemetry::metrics::MeterProvider;
use rustok_telemetry::{FlushReport, Telemetry, metrics::record_event_published};

use crate::{
    in_a_process,
    receiver::{Behaviour, Received, Receiver},
    start,
};

const LONG: Duration = Duration::from_secs(20);

/// All signals, which would leave by themselves in an hour.
fn start_all(endpoint: &str, protocol: &str) -> Telemetry {
    start(&[
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"),
    ])
}

fn record() {
    drop(tracing::info_span!("work"));
    tracing::info!("done");
    record_event_published("OrderPlaced", "acme");
}

/// Spans, log records, and exports of the metrics with what was recorded.
fn arrived(receiver: &Receiver) -> [usize; 3] {
    let requests = receiver.requests();
    let of = |signal: &str| {
        let of_signal = requests.iter().filter(|request| request.is_of(signal));
        of_signal.cloned().collect::<Vec<Received>>()
    };
    let published = |request: &&Received| {
        let metrics = request.metrics();
        metrics
            .iter()
            .any(|metric| metric.name == "rustok_event_bus_published_total")
    };
    [
        receiver.spans().len(),
        of("logs")
            .iter()
            .map(|request| request.log_records().len())
            .sum(),
        of("metrics").iter().filter(published).count(),
    ]
}

fn flush_twice(protocol: &str) {
    let receiver = Receiver::start();
    let telemetry = start_all(&receiver.plain(), protocol);
    for times in 1..=2 {
        record();
        let report = telemetry.force_flush(LONG);
        assert!(report.is_complete(), "{report}");
        assert_eq!(report.to_string(), "telemetry: everything was sent");
        assert_eq!(arrived(&receiver), [times; 3]);
    }
    record();
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    assert_eq!(arrived(&receiver), [3; 3]);
}

#[test_fork::test]
fn all_signals_have_arrived_by_grpc_each_time() {
    flush_twice("grpc");
}

#[test_fork::test]
fn all_signals_have_arrived_by_http_each_time() {
    flush_twice("http/protobuf");
}

#[tokio::test(flavor = "current_thread")]
#[test_fork::fork]
async fn a_current_thread_runtime_is_no_obstacle() {
    flush_twice("grpc");
}

#[tokio::test(flavor = "multi_thread")]
#[test_fork::fork]
async fn a_multi_thread_runtime_is_no_obstacle() {
    flush_twice("http/protobuf");
}

#[test_fork::test]
fn calls_at_the_same_time_all_find_their_own_spans_sent() {
    let receiver = Receiver::start();
    let telemetry = start_all(&receiver.plain(), "grpc");
    thread::scope(|scope| {
        for thread in 0..8_u32 {
            let (telemetry, receiver) = (&telemetry, &receiver);
            scope.spawn(move || {
                for number in 0..5_u32 {
                    let name = format!("{thread}-{number}");
                    let span = tracing::info_span!("work", otel.name = name.as_str());
                    drop(span);
                    let report = telemetry.force_flush(LONG);
                    assert!(report.is_complete(), "{report}");
                    let spans = receiver.spans();
                    assert!(spans.iter().any(|span| span.name == name), "{name}");
                }
            });
        }
    });
    assert_eq!(receiver.spans().len(), 40);
    assert!(telemetry.shutdown().is_complete());
}

/// The SDK waits for five seconds.
#[test_fork::test]
fn an_export_that_takes_six_seconds_is_waited_for() {
    let receiver = Receiver::with(Behaviour {
        delay: Duration::from_secs(6),
        ..Behaviour::default()
    });
    let telemetry = start_all(&receiver.plain(), "grpc");
    record();
    let report = telemetry.force_flush(LONG);
    assert!(report.is_complete(), "{report}");
    assert_eq!(arrived(&receiver), [1; 3]);
}

#[test_fork::test]
fn a_last_export_that_takes_six_seconds_is_waited_for() {
    let receiver = Receiver::with(Behaviour {
        delay: Duration::from_secs(6),
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"),
    ]);
    record();
    let report = telemetry.shutdown_within(LONG);
    assert!(report.is_complete(), "{report}");
    assert_eq!(arrived(&receiver), [0, 0, 1]);
}

/// A callback that is created past the global meter provider: its panic leaves the SDK without a collection.
#[test]
fn a_collection_that_panics_is_reported_and_logged_once() {
    let test = "flush::a_collection_that_panics_is_reported_and_logged_once";
    let (_, errors) = in_a_process(test, &[("RUST_LOG", "info")], || {
        let receiver = Receiver::start();
        let telemetry = start_all(&receiver.plain(), "grpc");
        let meter = telemetry
            .meter_provider()
            .expect("it runs")
            .meter("careless");
        let careless = meter.u64_observable_gauge("careless");
        let _ = careless.with_callback(|_| panic!("careless")).build();
        for _ in 0..2 {
            let report = telemetry.force_flush(LONG);
            let error = report.metrics_error.expect("a reason");
            assert!(!report.timed_out, "{error}");
        }
        let report = telemetry.shutdown();
        assert!(
            report.metrics_error.is_some() && !report.timed_out,
            "{report}"
        );
    });
    let logged = errors.matches("their collection failed");
    assert_eq!(logged.count(), 1, "{errors}");
}

/// A receiver that takes connections and never answers.
fn flush_to_nobody(protocol: &str) {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let telemetry = start_all(&endpoint, protocol);
    for _ in 0..10 {
        record();
    }
    let limit = Duration::from_millis(300);
    for _ in 0..10 {
        let started = Instant::now();
        let report = telemetry.force_flush(limit);
        let took = started.elapsed();
        assert!(took < limit + Duration::from_millis(700), "{took:?}");
        assert!(report.timed_out && report.unsent_metrics, "{report}");
        assert_eq!((report.unsent_spans, report.unsent_log_records), (10, 10));
        let said = report.to_string();
        assert!(said.contains("the time was up after 0.3 s"), "{said}");
        assert!(said.contains("10 spans still waiting"), "{said}");
        assert!(said.contains("metrics were still"), "{said}");
    }
    // However often it was asked for, one flush of each signal is under way.
    assert_eq!(flushing_threads(), 3);
    let _ = telemetry.shutdown_within(limit);
}

fn flushing_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads");
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    // The kernel keeps 15 characters.
    names
        .filter(|name| name.trim() == "telemetry-flush")
        .count()
}

#[test_fork::test]
fn nobody_answers_by_grpc_and_the_report_says_what_waits() {
    flush_to_nobody("grpc");
}

#[test_fork::test]
fn nobody_answers_by_http_and_the_report_says_what_waits() {
    flush_to_nobody("http/protobuf");
}

#[test_fork::test]
fn what_a_receiver_refuses_is_lost_and_said() {
    let receiver = Receiver::with(Behaviour {
        refused: Some(|_| true),
        ..Behaviour::default()
    });
    let telemetry = start_all(&receiver.plain(), "http/protobuf");
    record();
    let report = telemetry.force_flush(LONG);
    assert!(!report.timed_out, "{report}");
    assert_eq!((report.lost_spans, report.lost_log_records), (1, 1));
    let errors = [
        &report.traces_error,
        &report.logs_error,
        &report.metrics_error,
    ];
    for error in errors {
        let error = error.as_deref().expect("a reason");
        assert_eq!(error, "HTTP export failed with status code: 400");
    }
    let _ = telemetry.shutdown();
}

const NOTHING: &str = "telemetry: nothing to send: it is disabled, or has no exporter that sends";

#[test_fork::test]
fn telemetry_that_is_switched_off_has_nothing_to_send() {
    let telemetry = start(&[("OTEL_SDK_DISABLED", "true")]);
    assert_eq!(telemetry.force_flush(LONG), FlushReport::default());
    assert_eq!(telemetry.shutdown().to_string(), NOTHING);
}

#[test_fork::test]
fn without_an_exporter_there_is_nothing_to_send() {
    let off = ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER"].map(|variable| (variable, "none"));
    let telemetry = start(&off);
    record();
    assert_eq!(telemetry.force_flush(LONG).to_string(), NOTHING);
    assert_eq!(telemetry.shutdown().to_string(), NOTHING);
}
