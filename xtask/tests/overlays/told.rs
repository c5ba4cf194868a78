//! What a client of the Collector was told, and what became of the span and the log record that it sent.

use std::time::Duration;

use rustok_telemetry::ShutdownReport;
use xtask::stack::Port;

use crate::{certificates::Authority, client::send, collector::Collector};

/// A secret of the client's, in a header.
pub(crate) const SECRET_HEADER: (&str, &str) = ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2");
/// What the client logs.
const MESSAGE: &str = "a secret message";

/// After one span and one log record.
pub(crate) struct Told {
    collector: Collector,
    report: ShutdownReport,
}

/// A Collector with TLS, whose certificate is of this authority; with further overlays, and what they read.
pub(crate) fn with_tls(
    name: &str,
    authority: &Authority,
    overlays: &[&str],
    variables: &[(&str, &str)],
) -> Collector {
    let (certificate, key) = authority.issue("localhost");
    let own = [
        ("COLLECTOR_TLS_CERTIFICATE", certificate.as_str()),
        ("COLLECTOR_TLS_KEY", key.as_str()),
    ];
    Collector::start(name, overlays, &[&own, variables].concat())
}

/// The port of a protocol.
pub(crate) fn port_of(protocol: &str) -> Port {
    match protocol {
        "grpc" => Port::CollectorOtlpGrpc,
        _ => Port::CollectorOtlpHttp,
    }
}

impl Told {
    /// Sends a span and a log record.
    pub(crate) fn by_sending(
        collector: Collector,
        endpoint: &str,
        protocol: &str,
        variables: &[(&str, &str)],
    ) -> Self {
        let no_metrics = [("OTEL_METRICS_EXPORTER", "none")];
        let variables = [&no_metrics, variables].concat();
        let report = send(endpoint, protocol, MESSAGE, &variables);
        Self { collector, report }
    }

    #[track_caller]
    pub(crate) fn arrives(&self) {
        assert!(self.report.is_complete(), "{}", self.report);
        let written = self.collector.log_records_within(Duration::from_secs(30));
        assert!(written.contains(MESSAGE), "{written}");
        assert_eq!(self.collector.accepted_spans(), 1.0);
    }

    /// Nothing has arrived, and each error is this.
    #[track_caller]
    pub(crate) fn is_turned_away(&self, why: &str) {
        self.is_turned_away_if(|error| error == why);
    }

    /// Nothing has arrived, and each error says this among other things.
    #[track_caller]
    pub(crate) fn is_turned_away_about(&self, why: &str) {
        self.is_turned_away_if(|error| error.contains(why));
    }

    #[track_caller]
    fn is_turned_away_if(&self, expected: impl Fn(&str) -> bool) {
        let report = &self.report;
        let lost = (report.lost_spans, report.lost_log_records);
        assert_eq!(lost, (1, 1), "{report}");
        for error in [&report.traces_error, &report.logs_error] {
            let error = error.as_deref().expect("a reason");
            assert!(expected(error), "{error}");
        }
        assert_eq!(self.collector.accepted_spans(), 0.0);
        assert_eq!(self.collector.log_records(), "");
    }
}

/// Only a handshake of TLS and what came of it could be seen on the way.
#[track_caller]
pub(crate) fn is_unreadable(seen: &[u8]) {
    assert!(seen.starts_with(&[0x16, 0x03]), "a handshake of TLS");
    for secret in ["hunter2", MESSAGE] {
        let mut parts = seen.windows(secret.len());
        let found = parts.any(|part| part == secret.as_bytes());
        assert!(!found, "{secret} could be read on the way");
    }
}
