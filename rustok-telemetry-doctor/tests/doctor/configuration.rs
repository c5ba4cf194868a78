//! Settings, errors and warnings.

use std::collections::BTreeSet;

use rustok_telemetry::config::TelemetryConfig;
use serde_json::{Value, json};

use crate::{doctor, doctor_json, servers, step};

#[test]
fn every_setting_is_shown_with_its_value_and_its_source() {
    let variables = [
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/?key=hunter2"),
        ("OTEL_PYTHON_LOG_LEVEL", "debug"),
    ];
    let output = doctor(&[], &variables);
    assert_eq!(output.status, 0, "{}", output.text);
    let config = TelemetryConfig::from_vars(variables).expect("right");
    for line in config.report().lines {
        let ending = format!("  {}  ({})", line.value, line.source);
        let shown = output.text.lines().filter(|shown| {
            shown.split_whitespace().next() == Some(&line.name) && shown.ends_with(&ending)
        });
        assert_eq!(shown.count(), 1, "{line:?}\n{}", output.text);
    }
    assert!(
        output
            .text
            .contains("OTEL_PYTHON_LOG_LEVEL is not a known variable"),
        "{}",
        output.text
    );
    assert!(!output.text.contains("hunter2"), "{}", output.text);
    let json = doctor_json(&[], &variables);
    assert!(!json.to_string().contains("hunter2"), "{json:#}");
    let settings = json["settings"].as_array().expect("settings");
    assert_eq!(settings.len(), config.report().lines.len());
    let name = json!({"name": "service.name", "value": "shop", "source": "OTEL_SERVICE_NAME"});
    assert!(settings.contains(&name), "{json:#}");
    assert_eq!(json["unknown"], json!(["OTEL_PYTHON_LOG_LEVEL"]));
    assert_eq!(
        (&json["outcome"], &json["check"]),
        (&json!("ok"), &json!(null))
    );
}

#[test]
fn missing_service_name_is_not_that_of_the_doctor() {
    let expected = "backends list the service as `unknown_service:{program}`: set OTEL_SERVICE_NAME, or call \
                    `Builder::default_service_name`.";
    let output = doctor(&[], &[]);
    assert!(output.text.contains(expected), "{}", output.text);
    let notices = doctor_json(&[], &[])["notices"].to_string();
    assert!(notices.contains(expected), "{notices}");
}

#[test]
fn check_shows_the_settings_of_the_exporters() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=hunter2"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        // Logs are not exported, so this has no effect.
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "1000"),
    ];
    let output = doctor(&["--check"], &variables);
    for (name, value, source) in [
        (
            "traces.otlp.url",
            "http://127.0.0.1:9/v1/traces",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            "traces.otlp.headers",
            "api-key=***",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        ),
        (
            "metrics.otlp.url",
            "http://127.0.0.1:9",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            "metrics.otlp.protocol",
            "grpc",
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        ),
        (
            "traces.batch.schedule_delay",
            "100 ms",
            "OTEL_BSP_SCHEDULE_DELAY",
        ),
    ] {
        let mut lines = output.text.lines();
        let line = lines.find(|line| line.split_whitespace().next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("no {name}:\n{}", output.text));
        let ending = format!("  {value}  ({source})");
        assert!(line.ends_with(&ending), "{line}");
    }
    assert!(!output.text.contains("logs.otlp."), "{}", output.text);
    assert!(!output.text.contains("hunter2"), "{}", output.text);
}

#[test]
fn invalid_configuration_exits_with_78_unchecked() {
    let variables = [
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key hunter2"),
    ];
    let output = doctor(&["--check"], &variables);
    assert_eq!(output.status, 78, "{}", output.text);
    for expected in [
        "errors: 2 (a service does not start)",
        "OTEL_METRIC_EXPORT_INTERVAL=1m: not a whole number; write plain milliseconds",
        "not checked: a service does not start",
    ] {
        assert!(
            output.text.contains(expected),
            "{expected}:\n{}",
            output.text
        );
    }
    assert!(!output.text.contains("hunter2"), "{}", output.text);
    let json = doctor_json(&["--check"], &variables);
    assert_eq!(json["outcome"], "misconfigured");
    assert_eq!(
        json["problems"][0],
        json!({
            "variable": "OTEL_METRIC_EXPORT_INTERVAL",
            "value": "1m",
            "why": "not a whole number; write plain milliseconds, such as 5000 for 5 seconds",
            "allowed": "milliseconds from 1 to 2147483647",
        })
    );
}

#[test]
fn tolerated_errors_are_checked_and_exit_with_78() {
    let variables = [
        ("RUSTOK_TELEMETRY_STRICT", "false"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
    ];
    let output = doctor(&["--check"], &variables);
    assert_eq!(output.status, 78, "{}", output.text);
    assert!(
        output
            .text
            .contains("errors: 1 (ignored: strict mode is off)"),
        "{}",
        output.text
    );
    assert!(
        output.text.contains("FAILED   connect  127.0.0.1:9"),
        "{}",
        output.text
    );
}

#[test]
fn disabled_telemetry_is_not_checked() {
    let json = doctor_json(&["--check"], &[("OTEL_SDK_DISABLED", "true")]);
    assert_eq!(json["outcome"], "ok");
    assert_eq!(json["check"]["steps"][0]["result"], "skipped", "{json:#}");
    let none = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
    ];
    let output = doctor(&["--check"], &none);
    assert_eq!(output.status, 0, "{}", output.text);
    assert!(
        output.text.contains("nothing was checked"),
        "{}",
        output.text
    );
}

#[test]
fn page_documents_every_option() {
    let page = include_str!("../../../docs/doctor.md");
    let help = doctor(&["--help"], &[]).text;
    let words = help.split([' ', ',', '\n', ')']);
    let options: BTreeSet<_> = words.filter(|word| word.starts_with("--")).collect();
    assert_eq!(options.len(), 8, "{help}");
    for option in options {
        assert!(page.contains(&format!("`{option}")), "{option}");
    }
}

/// `docs/doctor.md` shows every key of the JSON.
#[test]
fn the_printed_json_matches_the_documentation() {
    let page = include_str!("../../../docs/doctor.md");
    let block = page
        .split("```json\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let documented: Value = serde_json::from_str(block.expect("a block")).expect("JSON");
    let variables = [
        ("RUSTOK_TELEMETRY_STRICT", "false"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_PYTHON_LOG_LEVEL", "debug"),
    ];
    let printed = doctor_json(&["--check"], &variables);
    assert_eq!(keys(&documented, ""), keys(&printed, ""));
}

/// The paths of all keys; of a list, those of all its elements.
fn keys(value: &Value, path: &str) -> BTreeSet<String> {
    let below = |(key, value): (&str, &Value)| {
        let path = format!("{path}/{key}");
        let mut keys = keys(value, &path);
        keys.insert(path);
        keys
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .flat_map(below)
            .collect(),
        Value::Array(elements) => elements
            .iter()
            .flat_map(|element| keys(element, path))
            .collect(),
        _ => BTreeSet::new(),
    }
}

/// The remedy names the file, not variables that the file replaces.
#[test]
fn configuration_file_is_checked() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("doctor_otel.yaml");
    let address = servers::nothing();
    let file = format!(
        "file_format: \"1.0\"\n\
         tracer_provider:\n  processors:\n    - batch:\n        exporter:\n          otlp_http: {{endpoint: \"http://{address}/v1/traces\"}}\n"
    );
    std::fs::write(&path, file).expect("a file");
    let path = path.to_str().expect("text");
    let json = doctor_json(&["--check"], &[("OTEL_CONFIG_FILE", path)]);
    let connect = step(&json, "connect");
    assert_eq!(connect["target"], address, "{json:#}");
    let remedy = "start the Collector, or correct the endpoint in the configuration file";
    assert_eq!(connect["remedy"], remedy, "{json:#}");
}
