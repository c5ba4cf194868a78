//! With a token, by TLS: who does not know it is turned away.

use std::path::Path;
use std::time::Duration;

use rustok_telemetry::ShutdownReport;
use xtask::stack::Port;

use crate::{certificates::Authority, client::send, collector::Collector};

/// The Collector, and what a client is told that sends one span and one log record with these headers.
fn as_a_client(
    name: &str,
    protocol: &str,
    port: Port,
    headers: Option<&str>,
) -> (Collector, ShutdownReport) {
    let authority = Authority::new(name, "authority");
    let (certificate, key) = authority.issue("localhost");
    let tokens = Path::new(&certificate).with_file_name("tokens.txt");
    std::fs::write(&tokens, "the-old-one\nthe-new-one\n").expect("a file");
    let collector = Collector::start(
        name,
        &["tls", "bearer-token"],
        &[
            ("COLLECTOR_TLS_CERTIFICATE", &certificate),
            ("COLLECTOR_TLS_KEY", &key),
            ("COLLECTOR_TOKEN_FILE", tokens.to_str().expect("text")),
        ],
    );
    let endpoint = format!("https://localhost:{}", collector.ports.get(port));
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &*authority.certificate),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    variables.extend(headers.map(|headers| ("OTEL_EXPORTER_OTLP_HEADERS", headers)));
    let report = send(&endpoint, protocol, "a message", &variables);
    (collector, report)
}

#[track_caller]
fn arrives((collector, report): (Collector, ShutdownReport)) {
    assert!(report.is_complete(), "{report}");
    let written = collector.log_records_within(Duration::from_secs(30));
    assert!(written.contains("a message"), "{written}");
    assert_eq!(collector.accepted_spans(), 1.0);
}

#[track_caller]
fn is_turned_away((collector, report): (Collector, ShutdownReport), why: &str) {
    assert_eq!(
        (report.lost_spans, report.lost_log_records),
        (1, 1),
        "{report}"
    );
    for error in [&report.traces_error, &report.logs_error] {
        let error = error.as_deref().expect("a reason");
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(collector.accepted_spans(), 0.0);
    assert_eq!(collector.log_records(), "");
}

const RIGHT: Option<&str> = Some("authorization=Bearer%20the-new-one");
const WRONG: Option<&str> = Some("authorization=Bearer%20a-guess");

#[test]
fn by_grpc_every_token_of_the_file_is_let_in() {
    let port = Port::CollectorOtlpGrpc;
    arrives(as_a_client("token_grpc", "grpc", port, RIGHT));
}

#[test]
fn by_http_every_token_of_the_file_is_let_in() {
    let port = Port::CollectorOtlpHttp;
    let old = Some("authorization=Bearer%20the-old-one");
    arrives(as_a_client("token_http", "http/protobuf", port, old));
}

#[test]
fn by_grpc_a_wrong_token_is_turned_away() {
    let port = Port::CollectorOtlpGrpc;
    let client = as_a_client("token_grpc_wrong", "grpc", port, WRONG);
    is_turned_away(client, "nauthenticated");
}

#[test]
fn by_http_a_wrong_token_is_turned_away() {
    let port = Port::CollectorOtlpHttp;
    let client = as_a_client("token_http_wrong", "http/protobuf", port, WRONG);
    is_turned_away(client, "401");
}

#[test]
fn by_http_no_token_is_turned_away() {
    let port = Port::CollectorOtlpHttp;
    let client = as_a_client("token_http_none", "http/protobuf", port, None);
    is_turned_away(client, "401");
}

#[test]
fn by_grpc_no_token_is_turned_away() {
    let port = Port::CollectorOtlpGrpc;
    let client = as_a_client("token_grpc_none", "grpc", port, None);
    is_turned_away(client, "nauthenticated");
}
