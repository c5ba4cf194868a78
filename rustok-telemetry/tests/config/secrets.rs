//! Secrets are never printed.

use rustok_telemetry::config::{Headers, TelemetryConfig};

const SECRET: &str = "hunter2";

#[test]
fn a_configuration_prints_no_secret() {
    let config = TelemetryConfig::from_vars([
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20hunter2",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317/?key=hunter2"),
    ])
    .expect("a right configuration");
    let report = config.report();
    for text in [
        format!("{config:?}"),
        format!("{report:?}"),
        report.to_string(),
        config.warnings().concat(),
        format!("{:?}", config.traces.otlp.headers.value.to_header_map()),
        config.traces.otlp.headers.value.to_string(),
        config.traces.otlp.endpoint.value.to_string(),
    ] {
        assert!(!text.is_empty() && !text.contains(SECRET), "{text}");
    }
    assert!(
        config.traces.otlp.url().contains(SECRET),
        "it is still sent"
    );
}

#[test]
fn an_error_prints_no_secret() {
    let names = [
        "HEADERS",
        "TRACES_HEADERS",
        "METRICS_HEADERS",
        "LOGS_HEADERS",
        "HEADER",
        "ENDPOINT",
    ];
    for name in names {
        for value in [
            "hunter2",
            "hunter2=",
            "k=hunter2,hunter2",
            "k=hunter2%zz",
            "k=hunter2%ff",
            "k=hunter2%0A",
            "k=hunter2%C3%BC",
            "a b=hunter2",
            "k=1,k=hunter2",
            "http://me:hunter2@c:4317",
            "me:hunter2@c:4317",
            "ftp://me:hunter2@c",
            "me:hunter2@c://d",
            "http://me:hunter2?@c",
            "https://c:x/?hunter2",
            "http://c:x/?hunter2",
        ] {
            let is_url = value.contains("://") || value.contains('@');
            if is_url != (name == "ENDPOINT") {
                continue;
            }
            let name = format!("OTEL_EXPORTER_OTLP_{name}");
            let result = TelemetryConfig::from_vars([(&name, value)]);
            if value == "hunter2=" && result.is_ok() {
                continue; // a header of that name: names are no secrets
            }
            let error = result.expect_err(value);
            let text = format!("{error} {error:?}");
            assert!(text.contains(&name) && !text.contains(SECRET), "{text}");
        }
    }
}

#[test]
fn headers_from_code_print_no_secret() {
    let headers = Headers::new([("api-key", SECRET)]).expect("a right header");
    assert_eq!(
        format!("{headers} {headers:?}"),
        "api-key=*** Headers(api-key=***)"
    );
    let error = Headers::new([("api-key", "hunter2\n")]).expect_err("a line break");
    assert!(!format!("{error} {error:?}").contains(SECRET));
}

/// The refused variable shows its value as a URL.
#[test]
fn a_url_keeps_all_but_its_secrets() {
    for (url, shown) in [
        ("http://collector:4318/base", "http://collector:4318/base"),
        ("http://me:secret@collector", "http://***@collector"),
        ("http://me:se?cret@collector", "http://***@collector"),
        ("me:secret@collector:4317", "***@collector:4317"),
        (
            "https://collector/v1?key=secret",
            "https://collector/v1?***",
        ),
        ("a@://b", "***@://b"),
        ("me:secret://x@b", "***@b"),
        ("http://é@ü/#secret", "http://***@ü/#***"),
    ] {
        assert_eq!(shown_value("OTEL_EXPORTER_ZIPKIN_ENDPOINT", url), shown);
    }
}

#[test]
fn a_value_is_one_short_line() {
    assert_eq!(shown_value("OTEL_SDK_DISABLED", "a\nb"), "a\\nb");
    let long = shown_value("OTEL_SDK_DISABLED", &"x".repeat(300));
    assert_eq!(long.chars().count(), 201);
}

/// The value in the only diagnostic of this variable.
fn shown_value(name: &str, value: &str) -> String {
    let error = TelemetryConfig::from_vars([(name, value)]).expect_err(name);
    error.diagnostics()[0].value().expect("a value").to_owned()
}
