//! TLS alone: a client needs no certificate, but has to trust the Collector's, and clear text is not understood.

use std::time::Duration;

use rustok_telemetry::ShutdownReport;
use xtask::stack::Port;

use crate::{certificates::Authority, client::send, collector::Collector, tap::Tap};

/// What nobody on the way may read.
const SECRETS: [&str; 2] = ["hunter2", "a secret message"];

/// Whom a client trusts, and how it speaks.
enum Client {
    /// It trusts the authority that the Collector's certificate is of.
    Trusts,
    /// It trusts another authority only.
    TrustsAnother,
    /// It knows of no TLS.
    ClearText,
}

/// The Collector, a tap in front of it, and what a client is told.
fn as_a_client(name: &str, protocol: &str, port: Port, client: &Client) -> Told {
    let authority = Authority::new(name, "authority");
    let (certificate, key) = authority.issue("localhost");
    let collector = Collector::start(
        name,
        &["tls"],
        &[
            ("COLLECTOR_TLS_CERTIFICATE", &certificate),
            ("COLLECTOR_TLS_KEY", &key),
        ],
    );
    let tap = Tap::start(collector.ports.get(port));
    let mut variables = vec![("OTEL_METRICS_EXPORTER", "none")];
    let other = Authority::new(name, "another");
    let scheme = match client {
        Client::Trusts => {
            variables.push(("OTEL_EXPORTER_OTLP_CERTIFICATE", &authority.certificate));
            "https"
        }
        Client::TrustsAnother => {
            variables.push(("OTEL_EXPORTER_OTLP_CERTIFICATE", &other.certificate));
            "https"
        }
        Client::ClearText => "http",
    };
    if scheme == "https" {
        variables.push(("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"));
    }
    let endpoint = format!("{scheme}://localhost:{}", tap.port);
    let report = send(&endpoint, protocol, "a secret message", &variables);
    let seen = tap.seen();
    Told {
        collector,
        report,
        seen,
    }
}

/// What became of what a client sent.
struct Told {
    collector: Collector,
    report: ShutdownReport,
    /// What could be seen on the way.
    seen: Vec<u8>,
}

impl Told {
    #[track_caller]
    fn arrives(&self) {
        self.is_unreadable();
        assert!(self.report.is_complete(), "{}", self.report);
        let written = self.collector.log_records_within(Duration::from_secs(30));
        assert!(written.contains("a secret message"), "{written}");
        assert_eq!(self.collector.accepted_spans(), 1.0);
    }

    #[track_caller]
    fn is_lost(&self, why: &str) {
        let report = &self.report;
        assert_eq!(
            (report.lost_spans, report.lost_log_records),
            (1, 1),
            "{report}"
        );
        for error in [&report.traces_error, &report.logs_error] {
            let error = error.as_deref().expect("a reason");
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(self.collector.accepted_spans(), 0.0);
        assert_eq!(self.collector.log_records(), "");
    }

    #[track_caller]
    fn is_unreadable(&self) {
        assert!(self.seen.starts_with(&[0x16, 0x03]), "a handshake of TLS");
        for secret in SECRETS {
            let mut parts = self.seen.windows(secret.len());
            let found = parts.any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} could be read on the way");
        }
    }
}

#[test]
fn by_grpc_a_client_without_a_certificate_is_let_in() {
    let port = Port::CollectorOtlpGrpc;
    as_a_client("tls_grpc", "grpc", port, &Client::Trusts).arrives();
}

#[test]
fn by_http_a_client_without_a_certificate_is_let_in() {
    let port = Port::CollectorOtlpHttp;
    as_a_client("tls_http", "http/protobuf", port, &Client::Trusts).arrives();
}

#[test]
fn by_grpc_a_client_that_does_not_know_the_authority_sends_nothing() {
    let port = Port::CollectorOtlpGrpc;
    let told = as_a_client("tls_grpc_stranger", "grpc", port, &Client::TrustsAnother);
    told.is_unreadable();
    told.is_lost(UNKNOWN);
}

#[test]
fn by_http_a_client_that_does_not_know_the_authority_sends_nothing() {
    let port = Port::CollectorOtlpHttp;
    let client = Client::TrustsAnother;
    let told = as_a_client("tls_http_stranger", "http/protobuf", port, &client);
    told.is_unreadable();
    told.is_lost(UNKNOWN);
}

#[test]
fn by_grpc_clear_text_is_refused() {
    let port = Port::CollectorOtlpGrpc;
    as_a_client("tls_grpc_clear", "grpc", port, &Client::ClearText).is_lost("transport error");
}

#[test]
fn by_http_clear_text_is_refused() {
    let port = Port::CollectorOtlpHttp;
    as_a_client("tls_http_clear", "http/protobuf", port, &Client::ClearText).is_lost("400");
}

/// What a client says of a certificate whose authority it does not know.
const UNKNOWN: &str = "UnknownIssuer";
