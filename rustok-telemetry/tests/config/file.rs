//! `OTEL_CONFIG_FILE`: the settings of a file, judged by the rules of the variables.

use std::{fs, path::PathBuf};

use rustok_telemetry::config::{
    MetricsExporter, Protocol, Sampler, Source, TelemetryConfig, TracesExporter,
};

/// A file of the test's own.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, text).expect("a file");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    /// What is wrong, with the file's name alone.
    fn diagnostics(&self) -> Vec<String> {
        let error = TelemetryConfig::from_vars([("OTEL_CONFIG_FILE", self.path())])
            .expect_err("there are problems");
        let diagnostics = error.diagnostics().iter();
        diagnostics
            .map(|diagnostic| diagnostic.to_string().replace(self.path(), "FILE"))
            .collect()
    }
}

const WHOLE: &str = r#"
file_format: "1.0"
resource:
  attributes:
    - {name: service.name, value: shop}
    - {name: team, value: "${TEAM:-web}"}
tracer_provider:
  processors:
    - batch:
        schedule_delay: 200
        exporter:
          otlp_http:
            endpoint: http://collector:4318/v1/traces
            headers:
              - {name: x-token, value: "${TOKEN}"}
  sampler:
    parent_based:
      root:
        trace_id_ratio_based: {ratio: 0.25}
meter_provider:
  readers:
    - periodic:
        exporter:
          otlp_grpc: {endpoint: "http://collector:4317"}
"#;

#[test]
fn a_file_takes_the_place_of_the_variables() {
    let file = File::new("whole.yaml", WHOLE);
    let config = TelemetryConfig::from_vars([
        ("OTEL_CONFIG_FILE", file.path()),
        ("OTEL_SERVICE_NAME", "not_this"),
        ("OTEL_TRACES_SAMPLER", "nonsense"),
        ("TOKEN", "s3cr3t"),
    ])
    .expect("a valid file");
    assert_eq!(config.service_name.value.as_deref(), Some("shop"));
    assert_eq!(
        config.resource_attributes.value,
        [("team".to_owned(), "web".to_owned())]
    );
    assert_eq!(
        config.traces.sampler.value,
        Sampler::ParentBasedTraceIdRatio(0.25)
    );
    assert_eq!(config.traces.exporters.value, [TracesExporter::Otlp]);
    assert_eq!(config.traces.otlp.url(), "http://collector:4318/v1/traces");
    assert_eq!(
        config.traces.otlp.headers.value.iter().collect::<Vec<_>>(),
        [("x-token", "s3cr3t")]
    );
    assert_eq!(config.traces.batch.schedule_delay.value.as_millis(), 200);
    assert_eq!(
        config.traces.batch.schedule_delay.source,
        Source::File { line: 10 }
    );
    assert_eq!(config.metrics.exporters.value, [MetricsExporter::Otlp]);
    assert_eq!(config.metrics.otlp.protocol.value, Protocol::Grpc);
    assert!(config.logs.exporters.value.is_empty());
    assert!(
        config.propagators.value.is_empty(),
        "the file sets no propagators"
    );

    let warnings = config.warnings().join("\n");
    assert!(
        warnings.contains("are not used: OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER."),
        "{warnings}"
    );
    let report = config.report().to_string();
    assert!(
        report.contains("service.name = shop (configuration file, line 4)"),
        "{report}"
    );
    assert!(!report.contains("s3cr3t"), "{report}");
}

#[test]
fn values_are_checked_like_those_of_variables() {
    let file = File::new(
        "problems.yaml",
        r#"
file_format: "1.0"
disabled: perhaps
tracer_provider:
  processors:
    - batch:
        max_queue_size: 0
        exporter:
          otlp_http:
            endpoint: collector:4318
            headers_list: "Authorization=Bearer s3cr3t,broken"
  sampler:
    trace_id_ratio_based: {ratio: 10}
  colour: green
"#,
    );
    let diagnostics = file.diagnostics();
    let expected = [
        "FILE:3: disabled=perhaps: neither true nor false. Allowed: true or false",
        "FILE:7: tracer_provider.processors[0].batch.max_queue_size=0: not between 1 and 1048576.",
        "FILE:10: tracer_provider.processors[0].batch.exporter.otlp_http.endpoint=collector:4318: ",
        "FILE:11: tracer_provider.processors[0].batch.exporter.otlp_http.headers_list=***: pair 2 has no `=`",
        "FILE:13: tracer_provider.sampler.trace_id_ratio_based.ratio=10: not between 0 and 1.",
        "FILE:14: tracer_provider.colour: unknown key",
    ];
    assert_eq!(diagnostics.len(), expected.len(), "{diagnostics:#?}");
    for (diagnostic, expected) in diagnostics.iter().zip(expected) {
        assert!(
            diagnostic.starts_with(expected),
            "{expected}: {diagnostics:#?}"
        );
    }
    assert!(!diagnostics.join("\n").contains("s3cr3t"));
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    for (text, expected) in [
        ("", "the file cannot be read: the file is empty"),
        ("a: [1\nb: 2", "the file cannot be read: line 2"),
        ("a: 1\na: 2", "duplicated key"),
    ] {
        let diagnostics = File::new("broken.yaml", text).diagnostics();
        assert!(
            diagnostics.len() == 1 && diagnostics[0].contains(expected),
            "{diagnostics:?}"
        );
    }
    // No mapping, and no version in it.
    let list = File::new("list.yaml", "- a\n").diagnostics();
    assert_eq!(list.len(), 2, "{list:?}");
    // A device would never end.
    for (path, expected) in [
        ("/nowhere/otel.yaml", "No such file"),
        ("/dev/zero", "not a file"),
        ("/", "not a file"),
    ] {
        let refused = TelemetryConfig::from_vars([("OTEL_CONFIG_FILE", path)])
            .expect_err("it cannot be read")
            .to_string();
        let expected = format!("OTEL_CONFIG_FILE={path}: the file cannot be read: {expected}");
        assert!(refused.starts_with(&expected), "{refused}");
    }
}

/// A file and the variables that set the same.
const EVERYTHING: &str = r#"
file_format: "1.0"
disabled: false
resource:
  attributes:
    - name: service.name
      value: shop
    - name: city
      value: "Zürich, 8001"
  attributes_list: team=web
propagator:
  composite:
    - tracecontext:
    - b3:
tracer_provider:
  processors:
    - batch:
        schedule_delay: 200
        exporter:
          otlp_http:
            endpoint: http://collector:4318/v1/traces
            headers:
              - name: x-token
                value: "${TOKEN}"
            timeout: ${MISSING:-5000}
  limits:
    attribute_count_limit: 64
  sampler:
    parent_based:
      root:
        trace_id_ratio_based:
          ratio: ${RATIO}
meter_provider:
  readers:
    - periodic:
        interval: 1000
        exporter:
          otlp_grpc:
            endpoint: http://collector:4317
            compression:
logger_provider:
  processors: []
"#;

#[test]
fn a_file_sets_what_the_variables_would_set() {
    let variables = [
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            "http://collector:4317",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://collector:4318/v1/traces",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-token=a%2C%20b%3Dc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "5000"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        ("OTEL_PROPAGATORS", "tracecontext,b3"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=shop,city=Z%C3%BCrich%2C%208001,team=web",
        ),
        ("OTEL_SDK_DISABLED", "false"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "64"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
    ];
    let file = File::new("everything.yaml", EVERYTHING);
    let of_file = [
        ("OTEL_CONFIG_FILE", file.path()),
        ("RATIO", "0.25"),
        ("TOKEN", "a, b=c"),
    ];
    assert_eq!(values(&of_file), values(&variables));
}

#[test]
fn nothing_is_sent_without_a_provider() {
    let file = File::new("empty.yaml", "file_format: '1.0'\n");
    let none = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_PROPAGATORS", "none"),
    ];
    let of_file = [("OTEL_CONFIG_FILE", file.path())];
    assert_eq!(values(&of_file), values(&none));
}

/// The report's values of settings that are not left out as defaults.
fn values(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    let lines = crate::config(variables).report().lines;
    let values = lines.into_iter().map(|line| (line.name, line.value));
    values.collect()
}

#[test]
fn every_diagnostic_has_its_line_and_its_path() {
    let text = "\
file_format: '2.0'
resource:
  atributes: []
tracer_provider:
  processors:
    - batch:
        schedule_delay: {}
        exporter:
          otlp_http:
            endpoint: [1]
            encoding: json
    - simple:
        exporter:
          console:
  sampler:
    always_on:
    always_off:
meter_provider:
  readers:
    - periodic: nonsense
  views:
    - selector: {instrument_name: 'rustok_*', unit: s}
      stream: {name: other, aggregation: {explicit_bucket_histogram: {boundaries: [2, 1]}}}
instrumentation/development: {}
colour: green
";
    let expected = [
        "FILE:1: file_format: `2.0` is not a version that can be read; these are: 1.0, 1.1, 1.2, such as \"1.0\"",
        "FILE:3: resource.atributes: unknown key; did you mean `attributes`?",
        "FILE:7: tracer_provider.processors[0].batch.schedule_delay: a mapping, where one value is expected",
        "FILE:10: tracer_provider.processors[0].batch.exporter.otlp_http.endpoint: a list, where one value is expected",
        "FILE:11: tracer_provider.processors[0].batch.exporter.otlp_http.encoding: `json` is not supported by this version: OTLP is sent as protobuf",
        "FILE:17: tracer_provider.sampler.always_off: one key is expected here, and `always_on` stands before it",
        "FILE:20: meter_provider.readers[0].periodic: one value, where a mapping is expected",
        "FILE:22: meter_provider.views[0]: the boundaries of a histogram are finite, and increase",
        "FILE:22: meter_provider.views[0].selector.unit: only `instrument_name` is supported by this version",
        "FILE:23: meter_provider.views[0].stream.name: not supported by this version: the catalogue says what metrics are called and which labels they have",
        "FILE:24: instrumentation/development: not supported by this version",
        "FILE:25: colour: unknown key",
    ];
    assert_eq!(File::new("wrong.yaml", text).diagnostics(), expected);
}

#[test]
fn references_are_replaced_as_the_specification_says() {
    for (written, expected) in [
        ("${RATIO}", "0.25"),
        ("${env:RATIO}", "0.25"),
        ("x${RATIO}y${MISSING}z", "x0.25yz"),
        ("${EMPTY:-fallback}", "fallback"),
        ("${MISSING:-a:-b}", "a:-b"),
        ("$${RATIO}", "${RATIO}"),
        ("a $ b", "a $ b"),
    ] {
        let text = format!(
            "file_format: '1.0'\nresource: {{attributes: [{{name: a, value: '{written}'}}]}}\n"
        );
        let file = File::new("references.yaml", &text);
        let variables = [
            ("OTEL_CONFIG_FILE", file.path()),
            ("RATIO", "0.25"),
            ("EMPTY", ""),
        ];
        let config = crate::config(&variables);
        let attributes = &config.resource_attributes.value;
        assert_eq!(attributes[0].1, expected, "{written}");
    }
    let wrong = File::new("reference.yaml", "file_format: '1.0'\ndisabled: ${1BAD}\n");
    assert_eq!(
        wrong.diagnostics(),
        [
            "FILE:2: disabled: `${1BAD}` is no reference to a variable: write ${NAME} or ${NAME:-default}, and $$ for a plain $"
        ]
    );
}
