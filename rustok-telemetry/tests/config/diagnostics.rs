//! Values that are wrong: every problem, in one error, with what would be right.

use crate::{Variables, diagnostics};
use rustok_telemetry::config::TelemetryConfig;

#[test]
fn each_wrong_value_says_why() {
    let cases: &[(Variables<'_>, &str)] = &[
        (
            &[("OTEL_SDK_DISABLED", "1")],
            "OTEL_SDK_DISABLED=1: neither true nor false. Allowed: true or false",
        ),
        (
            &[("OTEL_SERVICE_NAME", "  ")],
            "OTEL_SERVICE_NAME=  : only white space. Allowed: any text, such as shop",
        ),
        (
            &[("OTEL_RESOURCE_ATTRIBUTES", "a=1,b")],
            "OTEL_RESOURCE_ATTRIBUTES=a=1,b: pair 2 has no `=` ",
        ),
        (
            &[("OTEL_RESOURCE_ATTRIBUTES", "a=%zz")],
            "OTEL_RESOURCE_ATTRIBUTES=a=%zz: pair 1 has a `%` without",
        ),
        (
            &[("OTEL_RESOURCE_ATTRIBUTES", "a=%ff")],
            "OTEL_RESOURCE_ATTRIBUTES=a=%ff: pair 1 is not UTF-8",
        ),
        (
            &[("OTEL_RESOURCE_ATTRIBUTES", "a=1,b=2,a=3")],
            "OTEL_RESOURCE_ATTRIBUTES=a=1,b=2,a=3: pair 3 has the same key as pair 1.",
        ),
        (
            &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=")],
            "OTEL_RESOURCE_ATTRIBUTES=service.name=: pair 1 gives service.name no value",
        ),
        (
            &[("OTEL_PROPAGATORS", "ottrace")],
            "OTEL_PROPAGATORS=ottrace: `ottrace` is not supported by this version: the OpenTracing format is out",
        ),
        (
            &[("OTEL_PROPAGATORS", "tracecontext,xray")],
            "OTEL_PROPAGATORS=tracecontext,xray: `xray` is not supported by this version: AWS X-Ray takes W3C",
        ),
        (
            &[("OTEL_PROPAGATORS", "b3mult")],
            "OTEL_PROPAGATORS=b3mult: `b3mult` is not a known name; did you mean `b3multi`?",
        ),
        (
            &[("OTEL_PROPAGATORS", "none,baggage")],
            "OTEL_PROPAGATORS=none,baggage: `none` cannot stand beside",
        ),
        (
            &[("OTEL_PROPAGATORS", "tracecontxt")],
            "OTEL_PROPAGATORS=tracecontxt: `tracecontxt` is not a known name; did you mean `tracecontext`?",
        ),
        (
            &[("OTEL_TRACES_EXPORTER", "zipkin")],
            "OTEL_TRACES_EXPORTER=zipkin: `zipkin` is not supported",
        ),
        (
            &[("OTEL_TRACES_EXPORTER", "otlp,zipkin")],
            "OTEL_TRACES_EXPORTER=otlp,zipkin: `zipkin` is not supported",
        ),
        (
            &[("OTEL_TRACES_EXPORTER", " , ")],
            "OTEL_TRACES_EXPORTER= , : no name. Allowed: otlp and console",
        ),
        (
            &[("OTEL_METRICS_EXPORTER", "none,otlp")],
            "OTEL_METRICS_EXPORTER=none,otlp: `none` cannot stand beside another name",
        ),
        (
            &[("OTEL_TRACES_EXPORTER", "prometheus")],
            "OTEL_TRACES_EXPORTER=prometheus: `prometheus` is not a known name.",
        ),
        (
            &[("OTEL_METRICS_EXPORTER", "logging")],
            "OTEL_METRICS_EXPORTER=logging: `logging` is not supported by this version: its name is `console`",
        ),
        (
            &[("OTEL_LOGS_EXPORTER", "otlp/stdout")],
            "OTEL_LOGS_EXPORTER=otlp/stdout: `otlp/stdout` is not supported by this version: use `console`",
        ),
        (
            &[("OTEL_TRACES_SAMPLER", "0.1")],
            "OTEL_TRACES_SAMPLER=0.1: `0.1` is not a known name; for this share of the traces, set \
             OTEL_TRACES_SAMPLER=parentbased_traceidratio and OTEL_TRACES_SAMPLER_ARG=0.1",
        ),
        (
            &[("OTEL_TRACES_SAMPLER", "jaeger_remote")],
            "OTEL_TRACES_SAMPLER=jaeger_remote: `jaeger_remote` is not supported by this version: samplers that ask",
        ),
        (
            &[
                ("OTEL_TRACES_SAMPLER", "xray"),
                ("OTEL_TRACES_SAMPLER_ARG", "endpoint=x"),
            ],
            "OTEL_TRACES_SAMPLER=xray: `xray` is not supported",
        ),
        (
            &[("OTEL_TRACES_SAMPLER_ARG", "0.1")],
            "OTEL_TRACES_SAMPLER_ARG=0.1: the sampler parentbased_always_on takes no argument",
        ),
        (
            &[
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "10"),
            ],
            "OTEL_TRACES_SAMPLER_ARG=10: not between 0 and 1. Allowed: a number from 0 to 1, such as 0.1",
        ),
        (
            &[
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "-3"),
            ],
            "OTEL_TRACES_SAMPLER_ARG=-3: not between 0 and 1",
        ),
        (
            &[
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "nan"),
            ],
            "OTEL_TRACES_SAMPLER_ARG=nan: not a number",
        ),
        (
            &[("OTEL_BSP_SCHEDULE_DELAY", "5s")],
            "OTEL_BSP_SCHEDULE_DELAY=5s: not a whole number; write plain milliseconds, such as 5000 for 5 seconds.",
        ),
        (
            &[("OTEL_BSP_SCHEDULE_DELAY", "-1")],
            "OTEL_BSP_SCHEDULE_DELAY=-1: not between 1 and 2147483647.",
        ),
        (
            &[("RUSTOK_TELEMETRY_BSP_MAX_QUEUE_BYTES", "1000")],
            "RUSTOK_TELEMETRY_BSP_MAX_QUEUE_BYTES=1000: not between 65536 and 4294967295",
        ),
        (
            &[("OTEL_BSP_MAX_QUEUE_SIZE", "0")],
            "OTEL_BSP_MAX_QUEUE_SIZE=0: not between 1 and 1048576",
        ),
        (
            &[
                ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
                ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096"),
            ],
            "OTEL_BSP_MAX_QUEUE_SIZE=0: not between",
        ),
        (
            &[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "40960")],
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=40960: larger than the queue of 32768 (OTEL_BSP_MAX_QUEUE_SIZE, from: default)",
        ),
        (
            &[
                ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "200"),
                ("OTEL_BLRP_MAX_QUEUE_SIZE", "100"),
            ],
            "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=200: larger than the queue of 100 (OTEL_BLRP_MAX_QUEUE_SIZE, from: OTEL_BLRP_MAX_QUEUE_SIZE)",
        ),
        (
            &[("OTEL_METRIC_EXPORT_INTERVAL", "0")],
            "OTEL_METRIC_EXPORT_INTERVAL=0: not between 1 and 2147483647",
        ),
        (
            &[("OTEL_SPAN_LINK_COUNT_LIMIT", "99999999999")],
            "OTEL_SPAN_LINK_COUNT_LIMIT=99999999999: not between 0 and 2147483647",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/json: `http/json` is not supported",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzpi")],
            "OTEL_EXPORTER_OTLP_COMPRESSION=gzpi: `gzpi` is not a known name; did you mean `gzip`? Allowed: ",
        ),
        (
            &[(
                "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
                "base2_exponential_bucket_histogram",
            )],
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=base2_exponential_bucket_histogram: \
             `base2_exponential_bucket_histogram` is not supported by this version: the Prometheus text",
        ),
        (
            &[("OTEL_METRICS_EXEMPLAR_FILTER", "always-on")],
            "OTEL_METRICS_EXEMPLAR_FILTER=always-on: `always-on` is not a known name; did you mean `always_on`?",
        ),
        (
            &[
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "x"),
                ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "5"),
                ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "5"),
            ],
            "OTEL_EXPORTER_OTLP_TIMEOUT=x: not a whole number",
        ),
        (
            &[("OTEL_LOG_LEVEL", "warning")],
            "OTEL_LOG_LEVEL=warning: `warning` is not supported by this version: its name is `warn`",
        ),
        (
            &[("OTEL_EXPORTER_PROMETHEUS_PORT", "9464")],
            "OTEL_EXPORTER_PROMETHEUS_PORT=9464: takes no effect without `prometheus` in OTEL_METRICS_EXPORTER",
        ),
        (
            &[
                ("OTEL_METRICS_EXPORTER", "prometheus"),
                ("OTEL_EXPORTER_PROMETHEUS_PORT", "65536"),
            ],
            "OTEL_EXPORTER_PROMETHEUS_PORT=65536: not between 0 and 65535",
        ),
        (
            &[("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1")],
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=-1: not between 0 and 2147483647",
        ),
        (
            &[("OTEL_EXPERIMENTAL_CONFIG_FILE", "a.yaml")],
            "OTEL_EXPERIMENTAL_CONFIG_FILE=a.yaml: its name is OTEL_CONFIG_FILE",
        ),
        (
            &[("OTEL_SERVCIE_NAME", "shop")],
            "OTEL_SERVCIE_NAME: not a variable of OpenTelemetry; did you mean OTEL_SERVICE_NAME?",
        ),
        (
            &[("OTEL_TRACE_SAMPLER", "always_on")],
            "OTEL_TRACE_SAMPLER: not a variable of OpenTelemetry; did you mean OTEL_TRACES_SAMPLER?",
        ),
    ];
    for (variables, expected) in cases {
        let lines = diagnostics(variables);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(
            lines[0].starts_with(expected),
            "{}\nshould start with\n{expected}",
            lines[0]
        );
    }
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_table() {
    let variables = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_TRACES_SAMPLR", "always_on"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "yes"),
        ("OTEL_TRACES_SAMPLER", "traceidration"),
        ("OTEL_TRACES_SAMPLER_ARG", "10"),
        ("OTEL_SERVICE_NAME", "shop"),
    ];
    let error = TelemetryConfig::from_vars(variables).expect_err("five problems");
    let names: Vec<_> = error
        .diagnostics()
        .iter()
        .map(|diagnostic| diagnostic.variable())
        .collect();
    let expected = [
        "OTEL_TRACES_SAMPLER",
        "OTEL_TRACES_SAMPLER_ARG",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "OTEL_EXPORTER_OTLP_INSECURE",
        "OTEL_TRACES_SAMPLR",
    ];
    assert_eq!(names, expected);
    let text = error.to_string();
    assert!(
        text.starts_with("5 errors in the configuration:\nOTEL_TRACES_SAMPLER=traceidration: "),
        "{text}"
    );
    assert_eq!(text.lines().count(), 6);
}

#[test]
fn a_value_with_line_breaks_stays_on_its_line() {
    let lines = diagnostics(&[("OTEL_TRACES_EXPORTER", "otlp\nfake: line")]);
    assert_eq!(lines.len(), 1, "{lines:#?}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_refused_by_name() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let value = OsString::from_vec(vec![b'a', 0xff]);
    let error =
        TelemetryConfig::from_vars([("OTEL_SERVICE_NAME", value.clone())]).expect_err("not UTF-8");
    assert_eq!(
        error.diagnostics()[0].to_string(),
        "OTEL_SERVICE_NAME: the value is not UTF-8"
    );
    assert!(TelemetryConfig::from_vars([("OTHER", value)]).is_ok());
}

/// Each refusal of a variable has one way out.
#[test]
fn no_variable_is_to_be_removed_and_enabled_at_once() {
    for variable in crate::table::variables() {
        let rustok_telemetry::__private::Status::Refused(reason) = variable.status else {
            continue;
        };
        let ways = ["remove it", "turn on", "its name is"];
        let named = ways.iter().filter(|way| reason.contains(**way)).count();
        assert_eq!(named, 1, "{}: {reason}", variable.name);
    }
}

#[cfg(all(feature = "spool", target_os = "linux"))]
#[test]
fn a_directory_that_cannot_hold_a_spool_is_refused() {
    const DIR: &str = "RUSTOK_TELEMETRY_SPOOL_DIR";
    let file = env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml";
    let below = file.clone() + "/spool";
    for wrong in [&file, &below] {
        let lines = diagnostics(&[(DIR, wrong)]);
        let expected = format!("{DIR}={wrong}: files cannot be written in {file}: not a directory");
        assert!(lines[0].starts_with(&expected), "{lines:#?}");
        assert_eq!(lines.len(), 1, "{lines:#?}");
    }
    // No user can create a file there, not even root.
    let lines = diagnostics(&[(DIR, "/proc/spool")]);
    assert!(
        lines[0].contains("files cannot be written in /proc: "),
        "{lines:#?}"
    );
    for name in [
        "RUSTOK_TELEMETRY_SPOOL_MAX_BYTES",
        "RUSTOK_TELEMETRY_SPOOL_MAX_AGE",
    ] {
        let lines = diagnostics(&[(name, "20000000")]);
        let expected = format!("{name}=20000000: takes no effect without {DIR}");
        assert!(lines[0].starts_with(&expected), "{lines:#?}");
        let lines = diagnostics(&[(name, "1g"), (DIR, ".")]);
        assert!(lines[0].contains("not a whole number"), "{lines:#?}");
    }
    let config =
        TelemetryConfig::from_vars([(DIR, "target/not/there")]).expect("it is created later");
    assert!(
        config
            .report()
            .to_string()
            .contains("spool.dir = target/not/there")
    );
    assert!(!std::path::Path::new("target/not/there").exists());
}

#[test]
fn a_wrong_log_filter_from_code_is_refused() {
    let mut config = TelemetryConfig::from_vars::<&str, &str>([]).expect("nothing is set");
    config.log_filter.set("shop=loud".to_owned());
    let error = config.check().expect_err("no such level").to_string();
    assert!(error.starts_with("RUST_LOG=shop=loud: "), "{error}");
    assert!(error.contains("(set in code)"), "{error}");
}
