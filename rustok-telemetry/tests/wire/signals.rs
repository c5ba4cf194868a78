//! Every variable that a signal has of its own, each signal to a receiver of its own, with the general ones set to
//! something else.

use std::time::{Duration, Instant};

use rustok_telemetry::metrics;

use crate::{
    certificates::Authority,
    receiver::{Behaviour, Receiver},
    start,
};

/// A signal, and what is chosen for it.
struct Signal {
    /// As in the variables.
    name: &'static str,
    /// As in the paths of both protocols.
    path: &'static str,
    protocol: &'static str,
    compression: &'static str,
    receiver: Receiver,
    variables: Vec<(String, String)>,
}

const SIGNALS: [(&str, &str, &str, &str); 3] = [
    ("TRACES", "trace", "grpc", "gzip"),
    ("METRICS", "metrics", "http/protobuf", "zstd"),
    ("LOGS", "logs", "grpc", "zstd"),
];

impl Signal {
    /// One that is sent with TLS, by an authority of its own, which asks for a certificate.
    fn secure(
        (name, path, protocol, compression): (
            &'static str,
            &'static str,
            &'static str,
            &'static str,
        ),
    ) -> Self {
        let authority = Authority::new(&format!("signals_{path}"));
        let receiver = Receiver::with(Behaviour {
            tls: Some(authority.server(true)),
            ..Behaviour::default()
        });
        let endpoint = match protocol {
            "grpc" => receiver.secure(),
            // The endpoint of one signal is used as it is.
            _ => format!("{}/own/{path}", receiver.secure()),
        };
        let (certificate, key) = authority.client(&format!("client_{path}"));
        let header = format!("x-signal={path},x-token=a%2Cb");
        let variables = [
            ("ENDPOINT", endpoint),
            ("PROTOCOL", protocol.to_owned()),
            ("HEADERS", header),
            ("COMPRESSION", compression.to_owned()),
            ("CERTIFICATE", authority.certificate()),
            ("CLIENT_CERTIFICATE", certificate),
            ("CLIENT_KEY", key),
        ];
        let variables = variables
            .map(|(of, value)| (format!("OTEL_EXPORTER_OTLP_{name}_{of}"), value))
            .into();
        Self {
            name,
            path,
            protocol,
            compression,
            receiver,
            variables,
        }
    }
}

/// Sends a span, metrics and a log record.
fn send(variables: &[(&str, &str)]) -> rustok_telemetry::ShutdownReport {
    let mut all = vec![
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
    ];
    all.extend_from_slice(variables);
    let telemetry = start(&all);
    tracing::info_span!("work").in_scope(|| tracing::info!("worked"));
    metrics::record_event_published("ProductCreated", "acme");
    telemetry.shutdown()
}

#[test_fork::test]
fn each_signal_goes_its_own_way() {
    let general = Receiver::start();
    let signals = SIGNALS.map(Signal::secure);
    let general_endpoint = general.plain();
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", general_endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-signal=general"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
    ];
    for signal in &signals {
        let own = signal.variables.iter();
        variables.extend(own.map(|(name, value)| (name.as_str(), value.as_str())));
    }
    let report = send(&variables);
    assert!(report.is_complete(), "{report}");
    assert!(general.requests().is_empty(), "{:#?}", general.requests());
    for signal in &signals {
        let name = signal.name;
        let request = signal.receiver.only(signal.path);
        assert_eq!(signal.receiver.requests().len(), 1, "{name}");
        assert_eq!(request.header("x-signal"), signal.path, "{name}");
        assert_eq!(request.header("x-token"), "a,b", "{name}");
        assert_eq!(
            request.compression.as_deref(),
            Some(signal.compression),
            "{name}"
        );
        let is_grpc = request
            .header("content-type")
            .starts_with("application/grpc");
        assert_eq!(is_grpc, signal.protocol == "grpc", "{name}");
        if !is_grpc {
            assert_eq!(request.path, format!("/own/{}", signal.path));
        }
    }
}

#[test_fork::test]
fn an_endpoint_without_a_scheme_is_plain_where_its_signal_says_so() {
    let receivers = [Receiver::start(), Receiver::start(), Receiver::start()];
    let mut variables = vec![("OTEL_EXPORTER_OTLP_PROTOCOL".to_owned(), "grpc".to_owned())];
    for ((name, ..), receiver) in SIGNALS.iter().zip(&receivers) {
        let endpoint = receiver.address.to_string();
        variables.push((format!("OTEL_EXPORTER_OTLP_{name}_ENDPOINT"), endpoint));
        variables.push((
            format!("OTEL_EXPORTER_OTLP_{name}_INSECURE"),
            "true".to_owned(),
        ));
    }
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let report = send(&variables);
    assert!(report.is_complete(), "{report}");
    for ((_, path, ..), receiver) in SIGNALS.iter().zip(&receivers) {
        receiver.only(path);
    }
}

#[test_fork::test]
fn each_signal_has_its_own_time() {
    let slow = Receiver::with(Behaviour {
        delay: Duration::from_millis(2500),
        ..Behaviour::default()
    });
    let endpoint = slow.plain();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10000"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "150"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "250"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "350"),
    ];
    let started = Instant::now();
    let report = send(&variables);
    assert!(started.elapsed() < Duration::from_millis(2400), "{report}");
    for (error, milliseconds) in [
        (&report.traces_error, 150),
        (&report.metrics_error, 250),
        (&report.logs_error, 350),
    ] {
        let error = error.as_deref().unwrap_or_default();
        let expected = format!("no answer within {milliseconds} ms");
        assert!(error.contains(&expected), "{expected}: {report}");
    }
}
