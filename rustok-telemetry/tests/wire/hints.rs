//! The log names the likely cause of a failed export.

use std::time::Duration;

use tonic::Code;

use crate::{
    in_a_process,
    receiver::{Behaviour, Receiver, refusal},
};

#[test]
fn the_log_names_the_likely_cause() {
    let http = "http/protobuf";
    let credentials =
        "does the receiver require credentials? OTEL_EXPORTER_OTLP_HEADERS sends them";
    for (protocol, code, status, hint) in [
        (http, Code::Unauthenticated, 401, credentials),
        (http, Code::PermissionDenied, 403, credentials),
        ("grpc", Code::Unauthenticated, 401, credentials),
        ("grpc", Code::PermissionDenied, 403, credentials),
        (
            http,
            Code::Unimplemented,
            404,
            "does the receiver have this path?",
        ),
    ] {
        let answer = refusal(protocol == "grpc", code, status);
        let receiver = Receiver::with(Behaviour {
            refusals: vec![Some(answer); 10],
            ..Behaviour::default()
        });
        assert_hint(protocol, &receiver.plain(), hint);
    }
    let plain = Receiver::start();
    assert_hint(http, &plain.secure(), "does the port speak TLS?");
    assert_hint("grpc", &plain.secure(), "does the port speak TLS?");
    assert_hint(http, "http://127.0.0.1:9", "is a Collector running there?");
}

/// Exports a span from a process of its own, and looks for the hint in its log.
#[track_caller]
fn assert_hint(protocol: &str, endpoint: &str, hint: &str) {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("RUST_LOG", "warn"),
    ];
    let test = "hints::the_log_names_the_likely_cause";
    let (_, log) = in_a_process(test, &variables, || {
        let telemetry = rustok_telemetry::init_as("shop").expect("telemetry starts");
        tracing::info_span!("work").in_scope(|| ());
        let _ = telemetry.force_flush(Duration::from_secs(5));
    });
    let found = log.lines().filter(|line| line.contains(hint)).count();
    assert_eq!(found, 1, "{protocol} to {endpoint}:\n{log}");
}
