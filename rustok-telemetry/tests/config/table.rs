//! The table of variables tells the truth about every name in it.

use std::collections::BTreeSet;

use rustok_telemetry::config::{
    SECTIONS, Source, Status, TelemetryConfig, Variable, find_variable,
};

pub(crate) fn variables() -> impl Iterator<Item = &'static Variable> {
    SECTIONS.iter().flat_map(|section| section.variables)
}

#[test]
fn names_are_unique_and_rows_are_whole() {
    let names: BTreeSet<_> = variables().map(|variable| variable.name).collect();
    assert_eq!(names.len(), variables().count());
    for variable in variables() {
        let Variable {
            name,
            default,
            allowed,
            meaning,
            ..
        } = variable;
        let of_library = ["RUSTOK_TELEMETRY_STRICT", "RUST_LOG"].contains(name);
        assert!(name.starts_with("OTEL_") || of_library, "{name}");
        assert!(
            !default.is_empty() && !allowed.is_empty() && meaning.ends_with('.'),
            "{name}"
        );
    }
}

#[test]
fn a_refused_variable_is_an_error_and_an_empty_one_is_not() {
    for variable in variables() {
        assert!(
            TelemetryConfig::from_vars([(variable.name, "")]).is_ok(),
            "{}",
            variable.name
        );
        let Status::Refused(reason) = variable.status else {
            continue;
        };
        let error = TelemetryConfig::from_vars([(variable.name, "1")]).expect_err(variable.name);
        assert_eq!(error.problems().len(), 1);
        assert_eq!(error.problems()[0].variable(), variable.name);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn an_honoured_variable_is_read() {
    for variable in variables().filter(|variable| variable.status == Status::Honoured) {
        let name = variable.name;
        match TelemetryConfig::from_vars([(name, "~")]) {
            Ok(config) => {
                let lines = config.report().lines;
                assert!(
                    lines
                        .iter()
                        .any(|line| line.source == Source::Environment(name)),
                    "{name}"
                );
            }
            Err(error) => assert_eq!(error.problems()[0].variable(), name),
        }
    }
}

#[test]
fn the_specification_is_covered() {
    for name in [
        "OTEL_SDK_DISABLED",
        "OTEL_RESOURCE_ATTRIBUTES",
        "OTEL_SERVICE_NAME",
        "OTEL_LOG_LEVEL",
        "OTEL_PROPAGATORS",
        "OTEL_TRACES_SAMPLER",
        "OTEL_TRACES_SAMPLER_ARG",
        "OTEL_TRACES_EXPORTER",
        "OTEL_METRICS_EXPORTER",
        "OTEL_LOGS_EXPORTER",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_EVENT_COUNT_LIMIT",
        "OTEL_SPAN_LINK_COUNT_LIMIT",
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
        "OTEL_EXPORTER_ZIPKIN_TIMEOUT",
        "OTEL_EXPORTER_PROMETHEUS_HOST",
        "OTEL_EXPORTER_PROMETHEUS_PORT",
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "OTEL_METRIC_EXPORT_INTERVAL",
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "OTEL_CONFIG_FILE",
        "OTEL_EXPERIMENTAL_CONFIG_FILE",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
    ] {
        assert!(find_variable(name).is_some(), "{name}");
    }
    for processor in ["BSP", "BLRP"] {
        for setting in [
            "SCHEDULE_DELAY",
            "EXPORT_TIMEOUT",
            "MAX_QUEUE_SIZE",
            "MAX_EXPORT_BATCH_SIZE",
        ] {
            let name = format!("OTEL_{processor}_{setting}");
            assert!(find_variable(&name).is_some(), "{name}");
        }
    }
    for signal in ["", "TRACES_", "METRICS_", "LOGS_"] {
        for setting in [
            "ENDPOINT",
            "PROTOCOL",
            "HEADERS",
            "TIMEOUT",
            "COMPRESSION",
            "INSECURE",
            "CERTIFICATE",
            "CLIENT_KEY",
            "CLIENT_CERTIFICATE",
        ] {
            let name = format!("OTEL_EXPORTER_OTLP_{signal}{setting}");
            assert!(find_variable(&name).is_some(), "{name}");
        }
    }
}
