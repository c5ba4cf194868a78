//! mTLS against the real Collector: with the right certificate telemetry arrives, with a wrong one or none there is one
//! clear error, and nothing is ever to be read on the way.

use std::time::Duration;

use rustok_telemetry::ShutdownReport;
use xtask::stack::Port;

use crate::{certificates::Authority, client::send, collector::Collector, tap::Tap};

/// What nobody on the way may read.
const SECRETS: [&str; 2] = ["hunter2", "a secret message"];

/// The Collector, a tap in front of it, and what a client with the certificate of `whose` is told. `None`: without one.
fn as_a_client(
    name: &str,
    protocol: &str,
    port: Port,
    whose: Option<&str>,
) -> (Collector, ShutdownReport) {
    let authority = Authority::new(name, "authority");
    let (certificate, key) = authority.issue("localhost");
    let collector = Collector::start(
        name,
        &["mtls"],
        &[
            ("COLLECTOR_TLS_CERTIFICATE", &certificate),
            ("COLLECTOR_TLS_KEY", &key),
            ("COLLECTOR_TLS_CLIENT_AUTHORITY", &authority.certificate),
        ],
    );
    let tap = Tap::start(collector.ports.get(port));
    let trusted = authority.certificate.clone();
    let client = whose.map(|whose| match whose {
        "authority" => authority.issue("client"),
        other => Authority::new(name, other).issue("client"),
    });
    let mut files = vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str())];
    if let Some((certificate, key)) = &client {
        files.push(("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate));
        files.push(("OTEL_EXPORTER_OTLP_CLIENT_KEY", key));
    }
    files.extend([
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ]);
    let endpoint = format!("https://localhost:{}", tap.port);
    let report = send(&endpoint, protocol, "a secret message", &files);
    let seen = tap.seen();
    assert!(seen.starts_with(&[0x16, 0x03]), "a handshake of TLS");
    for secret in SECRETS {
        let found = seen
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "{secret} could be read on the way");
    }
    (collector, report)
}

#[track_caller]
fn arrives(collector: &Collector, report: &ShutdownReport) {
    assert!(report.is_complete(), "{report}");
    let written = collector.log_records_within(Duration::from_secs(30));
    assert!(written.contains("a secret message"), "{written}");
    let accepted = collector.accepted_spans();
    assert_eq!(accepted, 1.0, "spans that the Collector accepted");
}

#[track_caller]
fn is_turned_away(collector: &Collector, report: &ShutdownReport, why: &str) {
    assert_eq!(
        (report.lost_spans, report.lost_log_records),
        (1, 1),
        "{report}"
    );
    for error in [&report.traces_error, &report.logs_error] {
        let error = error.as_deref().expect("a reason");
        assert_eq!(error, why);
    }
    assert_eq!(collector.accepted_spans(), 0.0);
    assert_eq!(collector.log_records(), "");
}

#[test]
fn by_grpc_the_right_certificate_is_let_in() {
    let client = Some("authority");
    let (collector, report) = as_a_client("grpc_right", "grpc", Port::CollectorOtlpGrpc, client);
    arrives(&collector, &report);
}

#[test]
fn by_http_the_right_certificate_is_let_in() {
    let client = Some("authority");
    let (collector, report) = as_a_client(
        "http_right",
        "http/protobuf",
        Port::CollectorOtlpHttp,
        client,
    );
    arrives(&collector, &report);
}

#[test]
fn by_grpc_a_wrong_certificate_is_turned_away_with_the_reason() {
    let client = Some("stranger");
    let (collector, report) = as_a_client("grpc_wrong", "grpc", Port::CollectorOtlpGrpc, client);
    is_turned_away(&collector, &report, WRONG);
}

#[test]
fn by_http_a_wrong_certificate_is_turned_away_with_the_reason() {
    let client = Some("stranger");
    let (collector, report) = as_a_client(
        "http_wrong",
        "http/protobuf",
        Port::CollectorOtlpHttp,
        client,
    );
    is_turned_away(&collector, &report, WRONG);
}

#[test]
fn by_grpc_no_certificate_is_turned_away_with_the_reason() {
    let (collector, report) = as_a_client("grpc_none", "grpc", Port::CollectorOtlpGrpc, None);
    is_turned_away(&collector, &report, NONE);
}

#[test]
fn by_http_no_certificate_is_turned_away_with_the_reason() {
    let (collector, report) =
        as_a_client("http_none", "http/protobuf", Port::CollectorOtlpHttp, None);
    is_turned_away(&collector, &report, NONE);
}

/// What the Collector says to a certificate of an authority that it does not know, and to none.
const WRONG: &str = "received fatal alert: UnknownCA";
const NONE: &str = "received fatal alert: CertificateRequired";
