//! Values that are right become settings, each with its source.

use crate::{Variables, config, reported};
use rustok_telemetry::config::{Endpoint, Sampler, Source, TelemetryConfig};
use std::time::Duration;

const LOGS: Variables<'_> = &[("OTEL_LOGS_EXPORTER", "otlp")];

#[test]
fn each_variable_becomes_its_setting() {
    let cases: &[(Variables<'_>, &str, &str)] = &[
        (&[], "disabled", "false (default)"),
        (
            &[("OTEL_SDK_DISABLED", "TRUE")],
            "disabled",
            "true (OTEL_SDK_DISABLED)",
        ),
        (&[("OTEL_SDK_DISABLED", "")], "disabled", "false (default)"),
        (&[], "service.name", "not set (default)"),
        (
            &[("OTEL_SERVICE_NAME", " shop\n")],
            "service.name",
            "shop (OTEL_SERVICE_NAME)",
        ),
        (
            &[("OTEL_RESOURCE_ATTRIBUTES", "a=1,service.name=x")],
            "service.name",
            "x (OTEL_RESOURCE_ATTRIBUTES)",
        ),
        (
            &[
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=x"),
                ("OTEL_SERVICE_NAME", "shop"),
            ],
            "service.name",
            "shop (OTEL_SERVICE_NAME)",
        ),
        (
            &[(
                "OTEL_RESOURCE_ATTRIBUTES",
                "team=a%2Cb%20c , service.name=x, k%3D=v=w,e=",
            )],
            "resource.attributes",
            "team=a,b c,k==v=w,e= (OTEL_RESOURCE_ATTRIBUTES)",
        ),
        (&[], "propagators", "tracecontext,baggage (default)"),
        (
            &[("OTEL_PROPAGATORS", "none")],
            "propagators",
            "none (OTEL_PROPAGATORS)",
        ),
        (
            &[("OTEL_PROPAGATORS", "Baggage, tracecontext,baggage")],
            "propagators",
            "baggage,tracecontext (OTEL_PROPAGATORS)",
        ),
        (
            &[(
                "OTEL_PROPAGATORS",
                "jaeger,B3, b3multi,b3,tracecontext,baggage",
            )],
            "propagators",
            "jaeger,b3,b3multi,tracecontext,baggage (OTEL_PROPAGATORS)",
        ),
        (&[], "traces.exporters", "otlp (default)"),
        (
            &[("OTEL_TRACES_EXPORTER", "NONE")],
            "traces.exporters",
            "none (OTEL_TRACES_EXPORTER)",
        ),
        (&[], "traces.sampler", "parentbased_always_on (default)"),
        (
            &[("OTEL_TRACES_SAMPLER", "ALWAYS_OFF")],
            "traces.sampler",
            "always_off (OTEL_TRACES_SAMPLER)",
        ),
        (
            &[("OTEL_TRACES_SAMPLER", "traceidratio")],
            "traces.sampler",
            "traceidratio 1 (OTEL_TRACES_SAMPLER)",
        ),
        (
            &[
                ("OTEL_TRACES_SAMPLER", "ParentBased_TraceIdRatio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ],
            "traces.sampler",
            "parentbased_traceidratio 0.25 (OTEL_TRACES_SAMPLER)",
        ),
        (&[], "traces.batch.schedule_delay", "5000 ms (default)"),
        (
            &[("OTEL_BSP_SCHEDULE_DELAY", "7")],
            "traces.batch.schedule_delay",
            "7 ms (OTEL_BSP_SCHEDULE_DELAY)",
        ),
        (
            &[("OTEL_BSP_EXPORT_TIMEOUT", "0")],
            "traces.batch.export_timeout",
            "no limit (OTEL_BSP_EXPORT_TIMEOUT)",
        ),
        (
            &[("OTEL_BSP_MAX_QUEUE_SIZE", "100")],
            "traces.batch.max_export_batch_size",
            "100 (default)",
        ),
        (
            &[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2048")],
            "traces.batch.max_export_batch_size",
            "2048 (OTEL_BSP_MAX_EXPORT_BATCH_SIZE)",
        ),
        (&[], "traces.limits.attributes", "128 (default)"),
        (
            &[("OTEL_ATTRIBUTE_COUNT_LIMIT", "9")],
            "traces.limits.attributes",
            "9 (OTEL_ATTRIBUTE_COUNT_LIMIT)",
        ),
        (
            &[
                ("OTEL_ATTRIBUTE_COUNT_LIMIT", "9"),
                ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0"),
            ],
            "traces.limits.attributes",
            "0 (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT)",
        ),
        (
            &[("OTEL_METRICS_EXPORTER", "prometheus")],
            "metrics.exporters",
            "prometheus (OTEL_METRICS_EXPORTER)",
        ),
        (&[], "metrics.interval", "60000 ms (default)"),
        (
            &[("OTEL_METRIC_EXPORT_TIMEOUT", "5")],
            "metrics.timeout",
            "5 ms (OTEL_METRIC_EXPORT_TIMEOUT)",
        ),
        (&[], "logs.exporters", "none (default)"),
        (
            &[("OTEL_LOGS_EXPORTER", "OTLP")],
            "logs.exporters",
            "otlp (OTEL_LOGS_EXPORTER)",
        ),
        (LOGS, "logs.batch.schedule_delay", "1000 ms (default)"),
        (LOGS, "logs.batch.export_timeout", "30000 ms (default)"),
        (LOGS, "logs.batch.max_queue_size", "32768 (default)"),
        (
            &[
                ("OTEL_LOGS_EXPORTER", "otlp"),
                ("OTEL_BLRP_MAX_QUEUE_SIZE", "100"),
            ],
            "logs.batch.max_export_batch_size",
            "100 (default)",
        ),
        (
            &[("OTEL_BLRP_MAX_QUEUE_SIZE", "100")],
            "traces.batch.max_queue_size",
            "32768 (default)",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs:4318/in")],
            "logs.otlp.url",
            "http://logs:4318/in (OTEL_EXPORTER_OTLP_LOGS_ENDPOINT)",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")],
            "logs.otlp.url",
            "http://collector:4318/v1/logs (OTEL_EXPORTER_OTLP_ENDPOINT)",
        ),
        (&[], "metrics.otlp.timeout", "10000 ms (default)"),
        (
            &[
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "5"),
                ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0"),
            ],
            "traces.otlp.timeout",
            "no limit (OTEL_EXPORTER_OTLP_TRACES_TIMEOUT)",
        ),
        (
            &[
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "5"),
                ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0"),
            ],
            "metrics.otlp.timeout",
            "5 ms (OTEL_EXPORTER_OTLP_TIMEOUT)",
        ),
        (
            &[
                ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
                ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "B=2,c=3"),
            ],
            "metrics.otlp.headers",
            "b=***,c=*** (OTEL_EXPORTER_OTLP_METRICS_HEADERS)",
        ),
    ];
    for (variables, setting, expected) in cases {
        assert_eq!(reported(variables, setting), *expected, "{variables:?}");
    }
}

#[test]
fn header_values_are_decoded_and_complete() {
    let config = config(&[(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "Authorization=Basic%20YQ==, api-key=x%2Cy",
    )]);
    let headers: Vec<_> = config.traces.otlp.headers.value.iter().collect();
    assert_eq!(
        headers,
        [("authorization", "Basic YQ=="), ("api-key", "x,y")]
    );
    assert_eq!(
        config.metrics.otlp.headers.value.to_header_map()["api-key"],
        "x,y"
    );
}

#[test]
fn code_wins_over_the_environment() {
    let mut config = config(&[
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_SERVICE_NAME", "shop"),
    ]);
    config.traces.sampler.set(Sampler::AlwaysOn);
    config.service_name.set(Some("desk".to_owned()));
    config.traces.batch.set_max_queue_size(64);
    assert_eq!(config.traces.sampler.value, Sampler::AlwaysOn);
    assert_eq!(config.service_name.source, Source::Code);
    assert_eq!(config.traces.batch.max_export_batch_size.value, 64);
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn values_from_code_are_checked_too() {
    let mut config = config(&[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100")]);
    config.traces.sampler.set(Sampler::TraceIdRatio(f64::NAN));
    config.traces.batch.schedule_delay.set(Duration::ZERO);
    config.traces.batch.set_max_queue_size(64);
    config.metrics.interval.set(Duration::ZERO);
    config.logs.batch.max_queue_size.set(0);
    let without_scheme = Endpoint::base("collector:4317").expect("an endpoint of grpc");
    config.logs.otlp.endpoint.set(without_scheme);
    let error = config.check().expect_err("wrong values").to_string();
    let expected = "7 errors in the configuration:\n\
        OTEL_TRACES_SAMPLER_ARG=NaN: not between 0 and 1 (set in code). Allowed: a number from 0 to 1, such as 0.1\n\
        OTEL_BSP_SCHEDULE_DELAY=0: not more than 0 (set in code). Allowed: milliseconds from 1 to 2147483647\n\
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE=100: larger than the queue of 64 (OTEL_BSP_MAX_QUEUE_SIZE, from: code). \
        Allowed: a whole number from 1 to OTEL_BSP_MAX_QUEUE_SIZE\n\
        OTEL_METRIC_EXPORT_INTERVAL=0: not more than 0 (set in code). Allowed: milliseconds from 1 to 2147483647\n\
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=collector:4317/: the scheme is missing; write http://collector:4317 \
        (set in code). Allowed: a URL such as http://localhost:4318 (http/protobuf) or http://localhost:4317 (grpc), \
        or https://; grpc takes collector:4317, too\n\
        OTEL_BLRP_MAX_QUEUE_SIZE=0: not between 1 and 1048576 (set in code). \
        Allowed: a whole number from 1 to 1048576\n\
        OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=512: larger than the queue of 0 (OTEL_BLRP_MAX_QUEUE_SIZE, from: code). \
        Allowed: a whole number from 1 to OTEL_BLRP_MAX_QUEUE_SIZE";
    assert_eq!(error, expected);
    assert!(Endpoint::base("/v1/traces").is_err());
}

#[test]
fn foreign_names_are_left_alone_and_shown() {
    let config = config(&[
        ("OTEL_PYTHON_LOG_LEVEL", "debug"),
        ("PATH", "/bin"),
        ("OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT", "x"),
    ]);
    assert_eq!(
        config.unknown,
        [
            "OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT",
            "OTEL_PYTHON_LOG_LEVEL"
        ]
    );
    assert!(
        config
            .report()
            .to_string()
            .contains("unknown: OTEL_PYTHON_LOG_LEVEL is set, and left alone\n")
    );
}

#[test]
fn the_process_environment_is_read() {
    assert_eq!(
        TelemetryConfig::from_env(),
        TelemetryConfig::from_vars(std::env::vars_os())
    );
}

#[test]
fn the_exemplar_filters_of_the_specification_are_known() {
    assert_eq!(reported(&[], "metrics.exemplars"), "trace_based (default)");
    for (written, expected) in [
        ("always_on", "always_on"),
        ("trace_based", "trace_based"),
        (" Trace_Based ", "trace_based"),
        ("always_off", "always_off"),
    ] {
        let variables = [("OTEL_METRICS_EXEMPLAR_FILTER", written)];
        let expected = format!("{expected} (OTEL_METRICS_EXEMPLAR_FILTER)");
        assert_eq!(reported(&variables, "metrics.exemplars"), expected);
    }
}

#[test]
fn what_is_not_used_is_not_shown_as_a_default() {
    let nothing = "not used: nothing listens (default)";
    for exporter in ["otlp", "prometheus"] {
        let variables = [("OTEL_METRICS_EXPORTER", exporter)];
        assert_eq!(reported(&variables, "metrics.prometheus.port"), nothing);
        assert_eq!(reported(&variables, "metrics.prometheus.host"), nothing);
    }
    let listens = [
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "0.0.0.0"),
    ];
    assert_eq!(
        reported(&listens, "metrics.prometheus.port"),
        "9464 (default)"
    );
    let shown = |variables: &[(&str, &str)], name: &str| {
        let lines = config(variables).report().lines;
        lines.iter().any(|line| line.name == name)
    };
    // Logs are not sent by default.
    assert!(shown(&[], "traces.otlp.url") && !shown(&[], "logs.otlp.url"));
    assert!(!shown(&[], "logs.batch.max_queue_size"));
    assert!(shown(&[("OTEL_LOGS_EXPORTER", "otlp")], "logs.otlp.url"));
    let set = [("OTEL_BLRP_MAX_QUEUE_SIZE", "9")];
    assert!(shown(&set, "logs.batch.max_queue_size"));
}

#[test]
fn a_service_without_a_name_is_noticed_once_where_something_is_sent() {
    let nameless = |variables: &[(&str, &str)]| {
        let warnings = config(variables).warnings();
        let of_name = warnings
            .iter()
            .filter(|warning| warning.contains("OTEL_SERVICE_NAME"));
        let warnings: Vec<_> = of_name.cloned().collect();
        assert!(warnings.len() <= 1, "{warnings:?}");
        warnings.into_iter().next()
    };
    let warning = nameless(&[]).expect("a notice");
    assert!(warning.contains("`unknown_service:config"), "{warning}");
    assert_eq!(nameless(&[("OTEL_SERVICE_NAME", "shop")]), None);
    assert_eq!(
        nameless(&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=shop")]),
        None
    );
    assert_eq!(nameless(&[("OTEL_SDK_DISABLED", "true")]), None);
    let text_only = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
    ];
    assert_eq!(nameless(&text_only), None);
}
