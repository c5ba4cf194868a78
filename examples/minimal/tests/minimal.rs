//! The program as a newcomer starts it.

mod common;

use std::process::Command;

use common::{Running, get};

#[test]
fn conversions_are_served_and_recorded() {
    let service = Running::start();
    let url = format!("http://{}", service.address);

    let (head, body) = get(&format!("{url}/fahrenheit/20")).expect("an answer");
    assert!(head.starts_with("200"), "{head}");
    assert_eq!(body, "68 °F\n");
    let (head, _) = get(&format!("{url}/fahrenheit/-300")).expect("an answer");
    assert!(head.starts_with("422"), "{head}");

    let (_, text) = get(&format!("{url}/api/_health/metrics")).expect("the text");
    for line in [
        r#"rustok_http_requests_total{method="GET",path="/fahrenheit/{celsius}",status="200"} 1"#,
        r#"rustok_http_requests_total{method="GET",path="/fahrenheit/{celsius}",status="422"} 1"#,
        r#"rustok_module_errors_total{error_type="below_absolute_zero",module="conversion",severity="error"} 1"#,
        r#"weather_conversions_total{below_zero="no"} 1"#,
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
}

/// Rust prints an error that `main` returns by its `Debug`.
#[test]
fn fourteen_invalid_settings_are_fourteen_lines() {
    let wrong = [
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_SERVICE_NAME", " "),
        ("OTEL_RESOURCE_ATTRIBUTES", "team"),
        ("OTEL_PROPAGATORS", "tracecontxt"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_METRICS_EXPORTER", "none,otlp"),
        ("OTEL_LOGS_EXPORTER", "file"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key hunter2"),
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_rustok-minimal"))
        .envs(wrong)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("text");
    let mut lines = said.lines();
    let heading = "Error: 14 errors in the configuration:";
    assert_eq!(lines.next(), Some(heading), "{said}");
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), wrong.len(), "{said}");
    for (name, _) in wrong {
        let of_name = |line: &&&str| line.starts_with(&format!("{name}="));
        assert_eq!(lines.iter().filter(of_name).count(), 1, "{name}: {said}");
    }
    for of_debug in ["ConfigError", "Problem {", "Some(", "hunter2"] {
        assert!(!said.contains(of_debug), "{of_debug}: {said}");
    }
}

#[test]
fn the_example_is_at_most_fifty_lines() {
    let lines = include_str!("../src/main.rs").lines().count();
    assert!(lines <= 50, "{lines}");
}
