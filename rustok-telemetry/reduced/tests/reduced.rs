//! A setting that needs a disabled Cargo feature is an error that names the feature.
//!
//! Nothing runs here with both features or with none: then other members of the workspace decide what is enabled.
#![cfg(any(
    all(feature = "grpc", not(feature = "http")),
    all(feature = "http", not(feature = "grpc"))
))]

use rustok_telemetry::config::{Propagator, TelemetryConfig};

#[track_caller]
fn refused(name: &str, value: &str, feature: &str) {
    let error = TelemetryConfig::from_vars([(name, value)]).expect_err("disabled");
    let [diagnostic] = error.diagnostics() else {
        panic!("{error}");
    };
    assert_eq!(diagnostic.variable(), name);
    let expected = format!("turn on the Cargo feature `{feature}` of rustok-telemetry");
    assert!(diagnostic.why().contains(&expected), "{diagnostic}");
}

#[cfg(not(feature = "grpc"))]
#[test]
fn grpc_is_refused() {
    refused("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "grpc");
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")];
    let config = TelemetryConfig::from_vars(endpoint).expect("a warning only");
    let warning = "4317 is usually the gRPC port. Use 4318; gRPC is disabled in this build: turn on the Cargo feature \
                   `grpc` of rustok-telemetry.";
    let warnings = config.warnings();
    assert!(
        warnings
            .iter()
            .any(|line| line.to_string().ends_with(warning)),
        "{warnings:?}"
    );
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

#[test]
fn a_spool_is_refused() {
    refused("RUSTOK_TELEMETRY_SPOOL_DIR", "/tmp", "spool");
    let none: [(&str, &str); 0] = [];
    let mut config = TelemetryConfig::from_vars(none).expect("nothing is wrong");
    assert!(!config.report().to_string().contains("spool"));
    config.spool.dir.set(Some("/tmp".into()));
    let error = config.check().expect_err("the spool is disabled");
    assert!(error.to_string().contains("feature `spool`"), "{error}");
}

#[test]
fn propagators_are_refused() {
    refused("OTEL_PROPAGATORS", "b3", "b3");
    refused("OTEL_PROPAGATORS", "tracecontext,b3multi", "b3");
    refused("OTEL_PROPAGATORS", "jaeger", "jaeger");
    for feature in ["b3", "jaeger"] {
        refused("OTEL_PROPAGATORS", "jaeger,b3,b3multi", feature);
    }
}

#[test]
fn propagators_set_in_code_are_refused() {
    let none: [(&str, &str); 0] = [];
    let mut config = TelemetryConfig::from_vars(none).expect("nothing is wrong");
    config
        .propagators
        .set(vec![Propagator::TraceContext, Propagator::B3]);
    let error = config.check().expect_err("B3 is disabled");
    let expected = "OTEL_PROPAGATORS=tracecontext,b3";
    assert!(error.to_string().contains(expected), "{error}");
    assert!(error.to_string().contains("feature `b3`"), "{error}");
}
