//! A receiver that is away for a while: what fits in the queue is kept, and what does not is counted.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    thread::sleep,
    time::{Duration, Instant},
};

use http::Response;
use rustok_telemetry::{
    ShutdownReport, health,
    health::{QueueHealth, SignalHealth},
};
use tonic::Code;

use crate::{
    receiver::{Behaviour, Receiver, refusal},
    start,
};

/// An address at which nothing listens yet.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

pub(crate) fn work(numbers: std::ops::Range<u64>) {
    for number in numbers {
        tracing::info_span!("work", number).in_scope(|| tracing::info!(number, "worked"));
    }
}

pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(20));
    }
}

pub(crate) const TRACES: usize = 0;
pub(crate) const LOGS: usize = 2;

pub(crate) fn signal(index: usize) -> SignalHealth {
    health().signals.swap_remove(index)
}

pub(crate) fn queue(index: usize) -> QueueHealth {
    signal(index).queue.expect("a queue")
}

pub(crate) fn dropped(index: usize) -> u64 {
    queue(index).lost.iter().map(|(_, items)| items).sum()
}

fn recorded_while_away_arrives(protocol: &str) {
    let address = free_address();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}")),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "100"),
    ]);
    let started = Instant::now();
    let mut recorded = 0;
    // Longer than the retries of an export, more than one batch.
    while started.elapsed() < Duration::from_secs(4) {
        work(recorded..recorded + 100);
        recorded += 100;
        sleep(Duration::from_millis(100));
    }
    assert!(signal(TRACES).failing && signal(LOGS).failing);
    let receiver = Receiver::at(address, Behaviour::default());
    wait_until("all spans arrive", || {
        receiver.spans().len() as u64 >= recorded
    });
    wait_until("all log records arrive", || {
        let requests = receiver.requests();
        let records = requests.iter().filter(|request| request.is_of("logs"));
        records
            .map(|request| request.log_records().len() as u64)
            .sum::<u64>()
            >= recorded
    });
    work(recorded..recorded + 1);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    assert_eq!((report.lost_spans, report.lost_log_records), (0, 0));
    let ids: BTreeSet<_> = receiver
        .spans()
        .into_iter()
        .map(|span| span.span_id)
        .collect();
    assert_eq!(
        (ids.len(), receiver.spans().len()),
        (recorded as usize + 1, recorded as usize + 1)
    );
}

#[test_fork::test]
fn what_is_recorded_while_the_receiver_is_away_arrives_over_http() {
    recorded_while_away_arrives("http/protobuf");
}

#[test_fork::test]
fn what_is_recorded_while_the_receiver_is_away_arrives_over_grpc() {
    recorded_while_away_arrives("grpc");
}

fn refused_for_long_arrives(grpc: bool, status: u16, code: Code) {
    let refusals = (0..9).map(|_| Some(refusal(grpc, code, status))).collect();
    let receiver = Receiver::with(Behaviour {
        refusals,
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            if grpc { "grpc" } else { "http/protobuf" },
        ),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]);
    work(0..1);
    let requests = receiver.wait_for(10);
    wait_until("the queue is empty", || queue(TRACES).exported == 1);
    let took = requests[9].at - requests[0].at;
    assert!(took > Duration::from_secs(1), "{took:?}");
    assert_eq!((dropped(TRACES), receiver.requests().len()), (0, 10));
    assert!(telemetry.shutdown().is_complete());
}

#[test_fork::test]
fn what_is_refused_for_a_while_arrives() {
    refused_for_long_arrives(false, 503, Code::Ok);
}

#[test_fork::test]
fn what_is_refused_for_a_while_arrives_over_grpc() {
    refused_for_long_arrives(true, 200, Code::Unavailable);
}

#[test_fork::test]
fn a_batch_waits_as_long_as_the_receiver_asks() {
    let busy = |seconds| {
        let response = Response::builder()
            .status(429)
            .header("retry-after", seconds);
        Some(response.body(()).expect("a response"))
    };
    let receiver = Receiver::with(Behaviour {
        refusals: vec![busy("3")],
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        // Shorter than the receiver asks for, so the export fails.
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]);
    work(0..1);
    let requests = receiver.wait_for(2);
    let took = requests[1].at - requests[0].at;
    assert!((2_900..4_500).contains(&took.as_millis()), "{took:?}");
    assert!(telemetry.shutdown().is_complete());
}

/// Starts with a small queue and without a receiver, and waits until the first batch has failed.
fn start_without_receiver(variables: &[(&str, &str)]) -> rustok_telemetry::Telemetry {
    start_before_receiver(free_address(), variables)
}

fn start_before_receiver(
    address: SocketAddr,
    variables: &[(&str, &str)],
) -> rustok_telemetry::Telemetry {
    let endpoint = format!("http://{address}");
    let fixed = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let telemetry = start(&[&fixed, variables].concat());
    drop(tracing::info_span!("first"));
    wait_until("the first batch fails", || signal(TRACES).failing);
    telemetry
}

fn unsent(report: &ShutdownReport) -> u64 {
    report.lost_spans + report.unsent_spans
}

#[test_fork::test]
fn errors_and_slow_spans_are_dropped_last() {
    let telemetry = start_without_receiver(&[
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8"),
    ]);
    work(0..100);
    assert_eq!(dropped(TRACES), 44, "an eighth is reserved");
    for _ in 0..7 {
        drop(tracing::info_span!("failed", otel.status_code = "ERROR"));
    }
    let slow = tracing::info_span!("slow");
    sleep(Duration::from_millis(1_100));
    drop(slow);
    assert_eq!(dropped(TRACES), 44);
    drop(tracing::info_span!("failed", otel.status_code = "ERROR"));
    assert_eq!(dropped(TRACES), 45, "the queue is full");
    let report = telemetry.shutdown();
    assert_eq!(unsent(&report), 1 + 100 + 9, "{report}");
}

#[test_fork::test]
fn the_oldest_spans_are_dropped_by_choice() {
    let address = free_address();
    let telemetry = start_before_receiver(
        address,
        &[
            ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8"),
            ("RUSTOK_TELEMETRY_BSP_DROP_OLDEST", "true"),
        ],
    );
    drop(tracing::info_span!("failed", otel.status_code = "ERROR"));
    let recorded = 200;
    for number in 0..recorded {
        work(number..number + 1);
        sleep(Duration::from_millis(20));
    }
    let receiver = Receiver::at(address, Behaviour::default());
    wait_until("the queue is empty", || {
        queue(TRACES).length == 0 && queue(TRACES).exporting == 0
    });
    let report = telemetry.shutdown();
    let spans = receiver.spans();
    let numbers: BTreeSet<_> = spans
        .iter()
        .flat_map(|span| &span.attributes)
        .filter(|attribute| attribute.key == "number")
        .map(|attribute| format!("{:?}", attribute.value))
        .collect();
    let newest = (recorded - 20..recorded).map(|number| format!("IntValue({number})"));
    for number in newest {
        assert!(numbers.iter().any(|one| one.contains(&number)), "{number}");
    }
    assert!(spans.iter().any(|span| span.name == "failed"));
    assert!(report.lost_spans > 100, "{report}");
    let all = recorded + 2;
    assert_eq!(spans.len() as u64 + report.lost_spans, all, "{report}");
}

#[test_fork::test]
fn the_bytes_of_a_queue_are_bounded() {
    let telemetry = start_without_receiver(&[("RUSTOK_TELEMETRY_BSP_MAX_QUEUE_BYTES", "65536")]);
    let text = "x".repeat(1_000);
    for _ in 0..200 {
        drop(tracing::info_span!("work", text));
    }
    let spans = dropped(TRACES);
    // 57,344 bytes for spans of a bit more than 1,000.
    assert!((145..165).contains(&spans), "{spans}");
    let report = telemetry.shutdown();
    assert_eq!(unsent(&report), 201, "{report}");
}

#[test_fork::test]
fn a_shutdown_without_a_receiver_ends_soon_and_reports_all() {
    let telemetry = start_without_receiver(&[]);
    work(0..5_000);
    let report = telemetry.shutdown();
    assert!(report.elapsed < Duration::from_secs(4), "{report}");
    assert_eq!(unsent(&report), 5_001, "{report}");
}

/// Sends spans that together take longer than the timeout, over a link on which each of them does not.
fn large_spans_arrive_over_a_slow_link(protocol: &str, variables: &[(&str, &str)]) {
    const SPANS: u64 = 100;
    let receiver = Receiver::with(Behaviour {
        bytes_per_second: Some(2_000_000),
        ..Behaviour::default()
    });
    let endpoint = receiver.plain();
    let fixed = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
    ];
    let telemetry = start(&[&fixed, variables].concat());
    let text = "x".repeat(20_000);
    for number in 0..SPANS {
        drop(tracing::info_span!("work", number, text));
    }
    wait_until("all are exported", || queue(TRACES).exported == SPANS);
    assert!(
        signal(TRACES).failures > 0,
        "the first request is too large"
    );
    assert_eq!((queue(TRACES).length, dropped(TRACES)), (0, 0));
    let ids: BTreeSet<_> = receiver
        .spans()
        .into_iter()
        .map(|span| span.span_id)
        .collect();
    assert_eq!(ids.len() as u64, SPANS);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
}

#[test_fork::test]
fn large_spans_arrive_over_a_slow_link_by_http() {
    large_spans_arrive_over_a_slow_link("http/protobuf", &[]);
}

#[test_fork::test]
fn large_spans_arrive_over_a_slow_link_by_grpc() {
    large_spans_arrive_over_a_slow_link("grpc", &[]);
}

#[test_fork::test]
fn large_spans_of_a_spool_arrive_over_a_slow_link() {
    let directory = crate::spool::Directory::new();
    let spool = [("RUSTOK_TELEMETRY_SPOOL_DIR", directory.path())];
    large_spans_arrive_over_a_slow_link("http/protobuf", &spool);
    assert_eq!(directory.files("otlp").len(), 0);
}

/// The retries of an export are quick, and no failure is reported while they go on.
fn a_blip_is_no_failure(protocol: &str) {
    let refusals = vec![Some(refusal(protocol == "grpc", Code::Unavailable, 503)); 3];
    let receiver = Receiver::with(Behaviour {
        refusals,
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]);
    work(0..1);
    let requests = receiver.wait_for(4);
    wait_until("the span is exported", || queue(TRACES).exported == 1);
    let (first, all) = (
        requests[1].at - requests[0].at,
        requests[3].at - requests[0].at,
    );
    assert!((100..1_000).contains(&first.as_millis()), "{first:?}");
    assert!(all < Duration::from_secs(3), "{all:?}");
    let traces = signal(TRACES);
    assert_eq!((traces.successes, traces.failures), (1, 0), "{traces:?}");
    assert!(telemetry.shutdown().is_complete());
}

#[test_fork::test]
fn a_blip_is_no_failure_over_http() {
    a_blip_is_no_failure("http/protobuf");
}

#[test_fork::test]
fn a_blip_is_no_failure_over_grpc() {
    a_blip_is_no_failure("grpc");
}

#[test_fork::test]
fn a_shutdown_sends_a_refused_batch_three_more_times() {
    let receiver = Receiver::with(Behaviour {
        refusals: vec![Some(refusal(false, Code::Ok, 503)); 20],
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]);
    work(0..1);
    // The export has failed, and the pause has grown.
    receiver.wait_for(5);
    let before = receiver.requests().len();
    let report = telemetry.shutdown();
    assert_eq!(receiver.requests().len() - before, 4, "{report}");
    assert_eq!((report.lost_spans, report.unsent_spans), (1, 0), "{report}");
}

#[test_fork::test]
fn metrics_are_exported_again_soon_after_a_failure() {
    let receiver = Receiver::with(Behaviour {
        // One export with its retries.
        refusals: (0..4)
            .map(|_| Some(refusal(false, Code::Ok, 503)))
            .collect(),
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"),
    ]);
    let report = telemetry.force_flush(Duration::from_secs(10));
    assert!(report.metrics_error.is_some(), "{report}");
    let requests = receiver.wait_for(5);
    let pause = requests[4].at - requests[3].at;
    assert!((4_500..9_000).contains(&pause.as_millis()), "{pause:?}");
    let _ = telemetry.shutdown();
}
