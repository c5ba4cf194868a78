//! A setting that needs a disabled Cargo feature is an error that names the feature.
//!
//! Nothing runs here with both features or with none: then other members of the workspace decide what is enabled.
#![cfg(any(
    all(feature = "grpc", not(feature = "http")),
    all(feature = "http", not(feature = "grpc"))
))]

use rustok_telemetry::config::TelemetryConfig;

#[track_caller]
fn refused(name: &str, value: &str, feature: &str) {
    let error = TelemetryConfig::from_vars([(name, value)]).expect_err("it is left out");
    let [problem] = error.problems() else {
        panic!("{error}");
    };
    assert_eq!(problem.variable(), name);
    let expected = format!("turn on the Cargo feature `{feature}` of rustok-telemetry");
    assert!(problem.why().contains(&expected), "{problem}");
}

#[cfg(not(feature = "grpc"))]
#[test]
fn grpc_is_refused() {
    refused("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "grpc");
}

#[cfg(not(feature = "http"))]
#[test]
fn http_is_refused_and_the_default_is_grpc() {
    refused(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "http/protobuf",
        "http",
    );
    let none: [(&str, &str); 0] = [];
    let config = TelemetryConfig::from_vars(none).expect("nothing is wrong");
    assert_eq!(config.traces.otlp.url(), "http://localhost:4317");
}

#[test]
fn zstd_is_refused() {
    refused("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "zstd");
}

#[test]
fn https_and_certificates_are_refused() {
    refused("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4318", "tls");
    refused("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem", "tls");
    refused("OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", "/client.key", "tls");
}
