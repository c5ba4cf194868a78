//! Strict or not: what `init` does with what is wrong.

use std::{process::Command, time::Duration};

use rustok_telemetry::{InitError, config::TelemetryConfig};

const CHILD: &str = "STRICT_TEST_CHILD";

#[test_fork::test]
fn everything_wrong_in_the_environment_and_in_code_is_one_error() {
    let mut config = TelemetryConfig::from_vars_tolerant([
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_PROPAGATORS", "pigeon"),
    ]);
    config.metrics.interval.set(Duration::ZERO);
    let error = rustok_telemetry::builder().config(config).init();
    let Err(InitError::Config(error)) = error else {
        panic!("{error:?}");
    };
    let told: Vec<_> = error
        .diagnostics()
        .iter()
        .map(|one| one.variable())
        .collect();
    assert_eq!(told, ["OTEL_PROPAGATORS", "OTEL_METRIC_EXPORT_INTERVAL"]);
}

#[test_fork::test]
fn code_wins_over_the_variable_either_way() {
    let wrong = |strict| {
        TelemetryConfig::from_vars_tolerant([
            ("RUSTOK_TELEMETRY_STRICT", strict),
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_PROPAGATORS", "pigeon"),
        ])
    };
    let builder = rustok_telemetry::builder().config(wrong("false"));
    assert!(builder.strict(true).init().is_err());
    let builder = rustok_telemetry::builder().config(wrong("true"));
    let telemetry = builder.strict(false).init().expect("it is tolerated");
    let diagnostics = rustok_telemetry::health().diagnostics;
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert!(
        diagnostics[0].starts_with("OTEL_PROPAGATORS=pigeon: "),
        "{diagnostics:?}"
    );
    let _ = telemetry.shutdown();
}

/// In a process of its own, whose standard error is read.
#[test]
fn each_tolerated_problem_is_one_warning() {
    if std::env::var_os(CHILD).is_some() {
        let mut config = TelemetryConfig::from_env().expect("strict is off");
        config.metrics.interval.set(Duration::ZERO);
        let telemetry = rustok_telemetry::builder().config(config).init();
        let _ = telemetry.expect("it is tolerated").shutdown();
        return;
    }
    let child = Command::new(std::env::current_exe().expect("a path"))
        .args([
            "--exact",
            "each_tolerated_problem_is_one_warning",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .env("RUSTOK_TELEMETRY_STRICT", "false")
        .env("OTEL_TRACES_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "none")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key:hunter2")
        .env("RUST_LOG", "warn,shop=loud")
        .output()
        .expect("the test runs again");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}");
    for (variable, shown) in [
        ("OTEL_EXPORTER_OTLP_HEADERS", "=***: "),
        ("RUST_LOG", "=warn,shop=loud: "),
        ("OTEL_METRIC_EXPORT_INTERVAL", "=0: "),
    ] {
        let mut warnings = said.lines().filter(|line| line.contains(variable));
        let warning = warnings
            .next()
            .unwrap_or_else(|| panic!("{variable}:\n{said}"));
        assert!(
            warning.contains("WARN") && warning.contains(shown),
            "{warning}"
        );
        assert!(
            warning.contains("ignored (strict mode is off): "),
            "{warning}"
        );
        assert_eq!(warnings.next(), None, "{variable}:\n{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn who_logs_by_other_means_may_have_another_rust_log() {
    if std::env::var_os(CHILD).is_some() {
        let builder = rustok_telemetry::builder().without_subscriber();
        let _ = builder.init().expect("RUST_LOG is not ours").shutdown();
        return;
    }
    let child = Command::new(std::env::current_exe().expect("a path"))
        .args([
            "--exact",
            "who_logs_by_other_means_may_have_another_rust_log",
        ])
        .env(CHILD, "1")
        .env("OTEL_TRACES_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "none")
        .env("RUST_LOG", "shop=loud")
        .status()
        .expect("the test runs again");
    assert!(child.success());
}
