//! What counts where a problem is tolerated: the specification's fallback, and the problem is told all the same.

use std::time::Duration;

use rustok_telemetry::config::{
    Propagator, Sampler, Source, TelemetryConfig, TemporalityPreference,
};

use crate::{Variables, diagnostics};

const STRICT: &str = "RUSTOK_TELEMETRY_STRICT";

/// The configuration with these variables and strict off; each must be a problem.
fn tolerant(variables: Variables<'_>) -> TelemetryConfig {
    let mut all = vec![(STRICT, "false")];
    all.extend(variables);
    let config = TelemetryConfig::from_vars(all).expect("problems are tolerated");
    let told: Vec<_> = config
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.variable())
        .collect();
    assert_eq!(told.len(), variables.len(), "{told:?}");
    for (name, _) in variables {
        assert!(told.contains(name), "{name}: {told:?}");
    }
    config
}

#[test]
fn a_wrong_value_of_each_kind_counts_as_unset() {
    let defaults = TelemetryConfig::from_vars::<&str, &str>([]).expect("defaults");
    let config = tolerant(&[
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_SERVICE_NAME", " "),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=web,region"),
        ("OTEL_PROPAGATORS", "baggage,pigeon"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_EXPORTER", "olpt"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "30s"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "-1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "daily"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "smoke"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no pair"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("RUST_LOG", "shop=loud"),
    ]);
    assert_eq!(
        config.propagators.value,
        [Propagator::TraceContext, Propagator::Baggage]
    );
    assert_eq!(config.traces.sampler.value, Sampler::ParentBasedAlwaysOn);
    assert_eq!(
        config.traces.batch.schedule_delay.value,
        Duration::from_secs(5)
    );
    assert_eq!(config.metrics.interval.value, Duration::from_secs(60));
    assert_eq!(
        config.metrics.temporality.value,
        TemporalityPreference::Cumulative
    );
    // And all the rest is as if nothing had been set.
    let lines = |config: &TelemetryConfig| {
        let mut lines = config.report().lines;
        lines.retain(|line| line.name != "strict");
        lines
    };
    assert_eq!(lines(&config), lines(&defaults));
}

#[test]
fn what_must_fit_together_falls_back_too() {
    let config = tolerant(&[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50000")]);
    assert_eq!(config.traces.batch.max_export_batch_size.value, 512);
    let mut all = vec![(STRICT, "false"), ("OTEL_BLRP_MAX_QUEUE_SIZE", "100")];
    all.push(("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "101"));
    let config = TelemetryConfig::from_vars(all).expect("tolerated");
    assert_eq!(config.logs.batch.max_export_batch_size.value, 100);
    assert_eq!(config.diagnostics.len(), 1);

    // The queue's size is refused, so the batch has to fit the default one.
    let config = tolerant(&[
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
    ]);
    assert_eq!(config.traces.batch.max_queue_size.value, 32_768);
    assert_eq!(config.traces.sampler.value, Sampler::ParentBasedAlwaysOn);
    let variables = [
        (STRICT, "false"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "40000"),
    ];
    let config = TelemetryConfig::from_vars(variables).expect("tolerated");
    assert_eq!(config.traces.batch.max_export_batch_size.value, 512);

    let variables = [
        (STRICT, "false"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "10"),
    ];
    let config = TelemetryConfig::from_vars(variables).expect("tolerated");
    assert_eq!(config.traces.sampler.value, Sampler::TraceIdRatio(1.0));
}

#[test]
fn a_wrong_variable_of_one_signal_leaves_the_general_one() {
    let variables = [
        (STRICT, "false"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "own:4318"),
    ];
    let config = TelemetryConfig::from_vars(variables).expect("tolerated");
    assert_eq!(config.traces.otlp.url(), "http://general:4318/v1/traces");
    assert_eq!(
        config.traces.otlp.endpoint.source,
        Source::Environment("OTEL_EXPORTER_OTLP_ENDPOINT")
    );
}

#[test]
fn names_that_are_refused_or_misspelt_are_tolerated_by_name() {
    let config = tolerant(&[
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://me:hunter2@zipkin"),
        ("OTEL_SERVCIE_NAME", "shop"),
    ]);
    assert_eq!(config.service_name.value, None);
    let report = config.report().to_string();
    assert!(
        report.contains("\nerror: OTEL_SERVCIE_NAME: not a variable of OpenTelemetry; did you mean OTEL_SERVICE_NAME?\n"),
        "{report}"
    );
    assert!(!report.contains("hunter2"), "{report}");
}

#[test]
fn strict_itself_is_true_or_false() {
    assert_eq!(
        diagnostics(&[(STRICT, "no")]),
        ["RUSTOK_TELEMETRY_STRICT=no: neither true nor false. Allowed: true or false"]
    );
    assert_eq!(
        diagnostics(&[("RUSTOK_TELEMETRY_STRIKT", "false")]),
        [
            "RUSTOK_TELEMETRY_STRIKT: not a variable of RusToK Telemetry; did you mean RUSTOK_TELEMETRY_STRICT?"
        ]
    );
    let unset = TelemetryConfig::from_vars([(STRICT, "")]).expect("unset");
    assert!(unset.strict.value);
    let unknown = TelemetryConfig::from_vars([("RUSTOK_TELEMETRY_COLOUR", "red")]);
    assert_eq!(
        unknown.expect("left alone").unknown,
        ["RUSTOK_TELEMETRY_COLOUR"]
    );
}

#[test]
fn wrong_log_directives_are_a_problem_like_any_other() {
    let told = diagnostics(&[("RUST_LOG", "shop=loud"), ("OTEL_SDK_DISABLED", "1")]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("RUST_LOG=shop=loud: ") && told[1].contains("warn,my_crate=debug"),
        "{told:?}"
    );
}
