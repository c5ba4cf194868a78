//! What becomes of an export that a receiver does not take at once, or not all of.

use std::time::{Duration, SystemTime};

use http::Response;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;
use rustok_telemetry::{Telemetry, health, metrics::record_event_published};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{
    in_a_process,
    receiver::{Behaviour, Receiver, refusal},
    start,
};

fn busy(protocol: &str, times: usize) -> Vec<Option<Response<()>>> {
    vec![Some(refusal(protocol == "grpc", Code::Unavailable, 503)); times]
}

fn start_metrics(receiver: &Receiver, protocol: &str, compression: &str) -> Telemetry {
    start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
        ("OTEL_LOG_LEVEL", "warn"),
    ])
}

/// A receiver that is busy twice: it gets the same bytes three times, later and later.
fn sent_again(protocol: &str, compression: &str) {
    let receiver = Receiver::with(Behaviour {
        refusals: busy(protocol, 2),
        ..Behaviour::default()
    });
    let telemetry = start_metrics(&receiver, protocol, compression);
    record_event_published("OrderPlaced", "acme");
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    let named = requests[0].compression.as_deref();
    assert_eq!(named.unwrap_or("none"), compression);
    let metrics = requests[0].metrics();
    assert!(
        metrics
            .iter()
            .any(|metric| metric.name == "rustok_event_bus_published_total")
    );
    for (earlier, later) in requests.iter().zip(&requests[1..]) {
        assert!(earlier.body == later.body, "other bytes");
        assert!(earlier.headers == later.headers, "other headers");
    }
    let pauses = requests.windows(2).map(|two| two[1].at - two[0].at);
    let pauses: Vec<_> = pauses.map(|pause| pause.as_millis()).collect();
    assert!(pauses[0] >= 100 && pauses[1] >= 200, "{pauses:?}");
}

#[test_fork::test]
fn a_busy_receiver_gets_the_same_bytes_again_by_http() {
    sent_again("http/protobuf", "none");
}

#[test_fork::test]
fn a_busy_receiver_gets_the_same_bytes_again_by_grpc() {
    sent_again("grpc", "none");
}

#[test_fork::test]
fn a_busy_receiver_gets_the_same_compressed_bytes_again_by_http() {
    sent_again("http/protobuf", "gzip");
}

#[test_fork::test]
fn a_busy_receiver_gets_the_same_compressed_bytes_again_by_grpc() {
    sent_again("grpc", "gzip");
}

#[test_fork::test]
fn the_same_holds_with_zstd_by_http() {
    sent_again("http/protobuf", "zstd");
}

#[test_fork::test]
fn the_same_holds_with_zstd_by_grpc() {
    sent_again("grpc", "zstd");
}

/// A receiver that stays busy is left alone after three more requests.
fn given_up(protocol: &str, why: &str) {
    let receiver = Receiver::with(Behaviour {
        refusals: busy(protocol, 10),
        ..Behaviour::default()
    });
    let report = start_metrics(&receiver, protocol, "none").shutdown();
    assert_eq!(receiver.requests().len(), 4);
    assert_eq!(report.metrics_error.as_deref(), Some(why), "{report}");
}

#[test_fork::test]
fn a_receiver_that_stays_busy_is_left_alone_by_http() {
    given_up("http/protobuf", "HTTP export failed with status code: 503");
}

#[test_fork::test]
fn a_receiver_that_stays_busy_is_left_alone_by_grpc() {
    given_up("grpc", "export failed with gRPC code: Unavailable");
}

/// A receiver refuses spans in each of these ways, and accepts what is sent again: never, or after so many milliseconds.
fn check_refusals(protocol: &str, refusals: &[(Response<()>, Option<u128>)]) {
    let answers = refusals.iter().map(|(refusal, retry)| {
        let accepted = retry.is_some().then_some(None);
        [Some(refusal.clone())].into_iter().chain(accepted)
    });
    let receiver = Receiver::with(Behaviour {
        refusals: answers.flatten().collect(),
        // Not protobuf.
        answer: match protocol {
            "grpc" => Vec::new(),
            _ => b"<html>".to_vec(),
        },
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
    ]);
    let mut before = 0;
    for (refusal, retry) in refusals {
        drop(tracing::info_span!("work"));
        let report = telemetry.force_flush(Duration::from_secs(10));
        assert_eq!(
            report.traces_error.is_none(),
            retry.is_some(),
            "{refusal:?}"
        );
        assert!(!report.to_string().contains("hunter2"), "{report}");
        let requests = receiver.requests().split_off(before);
        before += requests.len();
        let pause = requests
            .get(1)
            .map(|again| (again.at - requests[0].at).as_millis());
        let fits = match (pause, *retry) {
            (Some(pause), Some(least)) => (least..2 * least + 2_000).contains(&pause),
            (pause, retry) => pause == retry,
        };
        assert!(fits, "{pause:?} after {refusal:?}");
    }
    assert_eq!(health().signals[0].last_rejection, None);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn statuses_are_retried_as_specified() {
    let refusal = |status: u16, retry_after: &str| {
        let refusal = Response::builder().status(status);
        refusal
            .header("retry-after", retry_after)
            .body(())
            .expect("an answer")
    };
    let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    let mut refusals = vec![
        (refusal(503, &soon), Some(1_900)),
        (refusal(429, "1"), Some(1_000)),
        (refusal(503, "Fri, 31 Dec 1999 23:59:59 GMT"), Some(100)),
        (refusal(429, "later"), Some(100)),
    ];
    refusals.extend([429, 502, 503, 504].map(|status| (refusal(status, ""), Some(100))));
    let given_up = [307, 400, 401, 404, 408, 413, 500, 501];
    refusals.extend(given_up.map(|status| (refusal(status, "1"), None)));
    check_refusals("http/protobuf", &refusals);
}

#[test_fork::test]
fn codes_are_retried_as_specified() {
    let retried = [
        Code::Cancelled,
        Code::DeadlineExceeded,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unavailable,
        Code::DataLoss,
    ];
    let codes = (1..=16).map(Code::from_i32).map(|code| {
        let refusal = refusal(true, code, 0);
        (refusal, retried.contains(&code).then_some(100))
    });
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(1)));
    let with_pause = [Code::ResourceExhausted, Code::Unavailable].map(|code| {
        let status = Status::with_error_details(code, "", details.clone());
        (status.into_http(), Some(1_000))
    });
    let refusals: Vec<_> = codes.chain(with_pause).collect();
    check_refusals("grpc", &refusals);
}

/// The first pause would be longer than the time of the export.
#[test_fork::test]
fn no_retry_begins_after_the_time_of_an_export() {
    let receiver = Receiver::with(Behaviour {
        refusals: busy("http/protobuf", 10),
        ..Behaviour::default()
    });
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "100"),
    ]);
    drop(tracing::info_span!("work"));
    let _ = telemetry.shutdown();
    assert_eq!(receiver.requests().len(), 1);
}

/// A receiver that accepts each request and rejects some of its items.
fn rejecting(rejected: i64) -> Receiver {
    let answer = ExportMetricsServiceResponse {
        partial_success: Some(ExportMetricsPartialSuccess {
            rejected_data_points: rejected,
            error_message: "too old".to_owned(),
        }),
    };
    Receiver::with(Behaviour {
        answer: answer.encode_to_vec(),
        ..Behaviour::default()
    })
}

/// Sends ten spans, of which the receiver rejects some.
fn rejected_spans_are_dropped(protocol: &str, rejected: i64, expected: [u64; 2]) {
    let receiver = rejecting(rejected);
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
    ]);
    (0..10).for_each(|_| drop(tracing::info_span!("work")));
    let report = telemetry.shutdown();
    let queue = health().signals[0].queue.clone().expect("a queue");
    let dropped = queue.lost.iter().find(|(reason, _)| *reason == "rejected");
    assert_eq!([queue.exported, dropped.expect("the reason").1], expected);
    assert_eq!((report.lost_spans, report.unsent_spans), (expected[1], 0));
}

#[test_fork::test]
fn spans_that_http_rejects_are_dropped() {
    rejected_spans_are_dropped("http/protobuf", 3, [7, 3]);
}

#[test_fork::test]
fn spans_that_grpc_rejects_are_dropped() {
    rejected_spans_are_dropped("grpc", 3, [7, 3]);
}

/// A receiver that counts wrongly.
#[test_fork::test]
fn no_more_spans_are_rejected_than_sent() {
    rejected_spans_are_dropped("http/protobuf", 11, [0, 10]);
}

/// What the receiver did not take is in the health, and in a warning of the kind that the SDK gives.
fn told_in_part(test: &str, protocol: &str, rejected: i64) {
    let (_, errors) = in_a_process(test, &[], || {
        let receiver = rejecting(rejected);
        let telemetry = start_metrics(&receiver, protocol, "none");
        record_event_published("OrderPlaced", "acme");
        let report = telemetry.shutdown();
        assert!(report.is_complete(), "{report}");
        assert_eq!(receiver.requests().len(), 1, "it is not sent again");
        let metrics = health().signals[1].clone();
        assert_eq!((metrics.successes, metrics.failures), (1, 0));
        let rejection = metrics.last_rejection.expect("a rejection");
        let items = rejected.max(0).cast_unsigned();
        assert_eq!(
            (rejection.items, rejection.reason.as_str()),
            (items, "too old")
        );
    });
    let warned = errors.lines().find(|line| line.contains("rejected_items"));
    let warning = warned.unwrap_or_else(|| panic!("no warning: {errors}"));
    assert!(
        warning.contains("WARN") && warning.contains("too old"),
        "{warning}"
    );
}

#[test]
fn what_is_not_taken_by_http_is_told() {
    told_in_part(
        "retries::what_is_not_taken_by_http_is_told",
        "http/protobuf",
        -1,
    );
}

#[test]
fn what_is_not_taken_by_grpc_is_told() {
    told_in_part("retries::what_is_not_taken_by_grpc_is_told", "grpc", 3);
}
