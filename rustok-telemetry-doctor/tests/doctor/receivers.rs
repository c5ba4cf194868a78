//! The cause and the remedy for each fault of a receiver.

use std::time::{Duration, Instant};

use crate::{doctor, doctor_json, servers, step};

const ALL: &[&str] = &["/v1/traces", "/v1/metrics", "/v1/logs"];

/// Asserts that a step fails with this cause and this remedy.
#[track_caller]
pub(crate) fn assert_failure(variables: &[(&str, &str)], failing: &str, cause: &str, remedy: &str) {
    let arguments = ["--check", "--timeout", "5"];
    let json = doctor_json(&arguments, variables);
    assert_eq!(json["exit_status"], 1, "{json:#}");
    let failed = step(&json, failing);
    assert_eq!(failed["result"], "failed", "{json:#}");
    let found = failed["cause"].as_str().expect("a cause");
    assert!(found.contains(cause), "{found}");
    let found = failed["remedy"].as_str().expect("a remedy");
    assert!(found.contains(remedy), "{found}");

    let output = doctor(&arguments, variables);
    assert_eq!(output.status, 1, "{}", output.text);
    assert!(
        output.text.contains(cause) && output.text.contains(remedy),
        "{}",
        output.text
    );
    assert!(
        output.text.ends_with("\nthe check failed\n"),
        "{}",
        output.text
    );
    let (_, check) = output.text.split_once("\ncheck").expect("a check");
    assert!(check.lines().count() <= 24, "more than a screen:\n{check}");
    assert!(!output.text.contains("hunter2"), "{}", output.text);
}

fn endpoint(address: &str) -> String {
    format!("http://{address}")
}

#[test]
fn receiver_that_accepts_everything_is_ok() {
    let endpoint = endpoint(&servers::http(ALL, None));
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        // Even a span that would not be sampled arrives.
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ];
    let json = doctor_json(&["--check"], &variables);
    assert_eq!(json["outcome"], "ok", "{json:#}");
    for name in ["resolve", "connect", "traces", "metrics", "logs"] {
        assert_eq!(step(&json, name)["result"], "ok", "{json:#}");
    }
    let trace = json["check"]["trace_id"].as_str().expect("a trace");
    assert!(
        trace.len() == 32 && trace.contains(|digit| digit != '0'),
        "{trace}"
    );
}

#[test]
fn a_refused_connection_is_reported() {
    let endpoint = endpoint(&servers::nothing());
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    assert_failure(
        &variables,
        "connect",
        "nothing listens on this port: the Collector is not running",
        "correct OTEL_EXPORTER_OTLP_ENDPOINT",
    );
}

#[test]
fn unknown_host_is_reported() {
    let variables = [(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://collector.invalid:4318",
    )];
    assert_failure(
        &variables,
        "resolve",
        "host not found",
        "check the host in OTEL_EXPORTER_OTLP_ENDPOINT",
    );
}

#[test]
fn grpc_to_an_http_port_is_reported() {
    let endpoint = endpoint(&servers::http(ALL, None));
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    assert_failure(
        &variables,
        "traces",
        "wrong protocol: the port speaks HTTP/1.1, not gRPC",
        "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    );
}

#[test]
fn http_to_a_grpc_port_is_reported() {
    let endpoint = endpoint(&servers::grpc("0"));
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_EXPORTER", "none"),
    ];
    assert_failure(
        &variables,
        "metrics",
        "wrong protocol: the port speaks gRPC (HTTP/2), not HTTP/1.1",
        "set OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=grpc",
    );
}

#[test]
fn a_duplicated_path_is_reported() {
    let endpoint = endpoint(&servers::http(ALL, None)) + "/v1/traces";
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    assert_failure(&variables, "traces", "wrong path", "leave the path out");
}

#[test]
fn a_missing_path_is_reported() {
    let endpoint = endpoint(&servers::http(ALL, None));
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    assert_failure(&variables, "traces", "wrong path", "end it with /v1/traces");
}

/// The other signals are accepted.
#[test]
fn a_signal_without_a_pipeline_is_reported() {
    let endpoint = endpoint(&servers::http(&["/v1/traces", "/v1/metrics"], None));
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_LOGS_EXPORTER", "otlp"),
    ];
    assert_failure(
        &variables,
        "logs",
        "no pipeline for logs",
        "OTEL_LOGS_EXPORTER=none",
    );
    let json = doctor_json(&["--check"], &variables);
    assert_eq!(step(&json, "traces")["result"], "ok", "{json:#}");
}

#[test]
fn missing_or_rejected_headers_are_reported() {
    let endpoint = endpoint(&servers::http(ALL, Some("secret")));
    let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    assert_failure(
        &variables,
        "traces",
        "requires credentials, but no headers are set",
        "set OTEL_EXPORTER_OTLP_HEADERS",
    );
    variables.push(("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"));
    assert_failure(
        &variables,
        "traces",
        "does not accept the headers api-key=***",
        "check the values in OTEL_EXPORTER_OTLP_HEADERS",
    );
    variables[1].1 = "api-key=secret";
    let json = doctor_json(&["--check"], &variables);
    assert_eq!(json["outcome"], "ok", "{json:#}");
}

#[test]
fn headers_rejected_over_grpc_are_reported() {
    let endpoint = endpoint(&servers::grpc("16"));
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
    ];
    assert_failure(
        &variables,
        "metrics",
        "does not accept the headers api-key=***",
        "check the values in OTEL_EXPORTER_OTLP_HEADERS",
    );
}

/// `--timeout` holds although the timeout of the exporter is longer.
#[test]
fn a_silent_port_is_reported() {
    let endpoint = endpoint(&servers::silent());
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let started = Instant::now();
    let json = doctor_json(&["--check", "--timeout", "2"], &variables);
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
    for name in ["traces", "metrics"] {
        let failed = step(&json, name);
        assert_eq!(failed["seen"], "no answer within 2 s", "{json:#}");
    }
}

#[test]
fn rejected_telemetry_is_not_looked_for() {
    let endpoint = endpoint(&servers::nothing());
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let arguments = [
        "--jaeger",
        "http://127.0.0.1:9",
        "--prometheus=http://127.0.0.1:9",
    ];
    let json = doctor_json(&arguments, &variables);
    for name in ["jaeger", "prometheus"] {
        assert_eq!(step(&json, name)["result"], "skipped", "{json:#}");
    }
}

#[test]
fn unreachable_jaeger_and_prometheus_are_reported() {
    let endpoint = endpoint(&servers::http(ALL, None));
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let away = format!("http://{}", servers::nothing());
    let arguments = ["--jaeger", &away, "--prometheus", &away];
    let json = doctor_json(&arguments, &variables);
    for (name, program) in [("jaeger", "Jaeger"), ("prometheus", "Prometheus")] {
        let cause = step(&json, name)["cause"].as_str().expect("a cause");
        assert!(
            cause.ends_with(&format!("{program} is down or has another address")),
            "{cause}"
        );
    }
    // The receiver's own address is neither.
    let arguments = ["--jaeger", &endpoint, "--prometheus", &endpoint];
    let json = doctor_json(&arguments, &variables);
    for name in ["jaeger", "prometheus"] {
        let cause = step(&json, name)["cause"].as_str().expect("a cause");
        assert!(cause.starts_with("the answer is not from "), "{cause}");
    }
}

/// `RUST_LOG` applies to log records as in a service. Dropped by it, the record says nothing of the receiver.
#[test]
fn log_record_that_rust_log_drops_is_no_failure() {
    let endpoint = endpoint(&servers::http(ALL, None));
    for (filter, result) in [
        ("off", "skipped"),
        ("shop=debug", "skipped"),
        ("off,rustok_telemetry_doctor=error", "ok"),
    ] {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_LOGS_EXPORTER", "otlp"),
            ("RUST_LOG", filter),
        ];
        let json = doctor_json(&["--check", "--timeout", "2"], &variables);
        assert_eq!(json["outcome"], "ok", "{json:#}");
        assert_eq!(step(&json, "logs")["result"], result, "{json:#}");
    }
}
