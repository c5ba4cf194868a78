//! What becomes of metrics that a receiver does not take at once, or not all of.

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;
use rustok_telemetry::{Telemetry, health, metrics::record_event_published};

use crate::{
    in_a_process,
    receiver::{Behaviour, Receiver},
    start,
};

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
        refusals: 2,
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
        refusals: usize::MAX,
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

/// What the receiver did not take is in the health, and in a warning of the kind that the SDK gives.
fn told_in_part(test: &str, protocol: &str) {
    let (_, errors) = in_a_process(test, &[], || {
        let answer = ExportMetricsServiceResponse {
            partial_success: Some(ExportMetricsPartialSuccess {
                rejected_data_points: 3,
                error_message: "too old".to_owned(),
            }),
        };
        let receiver = Receiver::with(Behaviour {
            answer: answer.encode_to_vec(),
            ..Behaviour::default()
        });
        let telemetry = start_metrics(&receiver, protocol, "none");
        record_event_published("OrderPlaced", "acme");
        let report = telemetry.shutdown();
        assert!(report.is_complete(), "{report}");
        assert_eq!(receiver.requests().len(), 1, "it is not sent again");
        let metrics = health().signals[1].clone();
        assert_eq!((metrics.successes, metrics.failures), (1, 0));
        let rejection = metrics.last_rejection.expect("a rejection");
        assert_eq!((rejection.items, rejection.reason.as_str()), (3, "too old"));
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
    );
}

#[test]
fn what_is_not_taken_by_grpc_is_told() {
    told_in_part("retries::what_is_not_taken_by_grpc_is_told", "grpc");
}
