//! What several tests need.
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod exported;
pub(crate) mod request;
pub(crate) mod valid_text;

use std::{collections::BTreeMap, process::Command};

use rustok_telemetry::{Builder, config::TelemetryConfig};

/// A builder without exporters: the text endpoint serves what was recorded.
pub(crate) fn text_only() -> Builder {
    with_variables(&[])
}

/// A builder without exporters but with further variables.
pub(crate) fn with_variables(variables: &[(&str, &str)]) -> Builder {
    let mut all = BTreeMap::from([
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=one"),
    ]);
    all.extend(variables.iter().copied());
    let config = TelemetryConfig::from_vars(all).expect("a valid configuration");
    rustok_telemetry::builder().config(config)
}

/// The text of the metrics endpoint.
pub(crate) fn text() -> String {
    let text = rustok_telemetry::prometheus_text().expect("telemetry runs");
    assert_eq!(text.content_type, "text/plain; version=0.0.4");
    String::from_utf8(text.body).expect("text")
}

/// Writes no message for panics: to resolve the names of a backtrace may take longer than a callback may.
pub(crate) fn quiet_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// The samples of one metric: labels → value.
pub(crate) fn samples(text: &str, name: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(series, value)| {
            let rest = series.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with('{')).then(|| (rest.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Asserts the whole content of a metric.
#[track_caller]
pub(crate) fn assert_samples(text: &str, name: &str, expected: &[(&str, &str)]) {
    let actual = samples(text, name);
    let actual: Vec<_> = actual
        .iter()
        .map(|(labels, value)| (labels.as_str(), value.as_str()))
        .collect();
    assert_eq!(actual, expected, "{name}");
}

/// Compares with a file in `tests/golden/`; `UPDATE_GOLDEN=1` writes it anew.
pub(crate) fn check_golden(name: &str, actual: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).expect("write the golden file");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{name} differs; run with UPDATE_GOLDEN=1 and look at the difference. Actual:\n{actual}"
    );
}

/// Does `work` in a process of its own with these variables; what it wrote to standard output, and to standard error.
pub(crate) fn in_a_process(
    test: &str,
    variables: &[(&str, &str)],
    work: impl FnOnce(),
) -> (String, String) {
    const AGAIN: &str = "TEST_AGAIN";
    if std::env::var_os(AGAIN).is_some() {
        work();
        std::process::exit(0);
    }
    let output = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", test, "--nocapture"])
        .env(AGAIN, "1")
        .envs(variables.iter().copied())
        .output()
        .expect("the test runs again");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    (said, errors)
}

/// Records each metric of gRPC.
pub(crate) fn record_grpc() {
    let (service, method) = ("inventory.v1.Inventory", "Reserve");
    rustok_telemetry::metrics::add_grpc_server_active_calls(1);
    rustok_telemetry::metrics::record_grpc_server_started(service, method);
    rustok_telemetry::metrics::record_grpc_server_handled(service, method, "NOT_FOUND");
    rustok_telemetry::metrics::record_grpc_server_duration(service, method, 0.012);
    rustok_telemetry::metrics::record_grpc_server_messages_received(service, method, 1);
    rustok_telemetry::metrics::record_grpc_server_messages_sent(service, method, 2);
    rustok_telemetry::metrics::add_grpc_client_active_calls(1);
    rustok_telemetry::metrics::record_grpc_client_started(service, method);
    rustok_telemetry::metrics::record_grpc_client_handled(service, method, "NOT_FOUND");
    rustok_telemetry::metrics::record_grpc_client_duration(service, method, 0.013);
    rustok_telemetry::metrics::record_grpc_client_messages_received(service, method, 2);
    rustok_telemetry::metrics::record_grpc_client_messages_sent(service, method, 1);
}
