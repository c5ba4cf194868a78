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
    assert!(config.propagators.value.is_empty(), "the file has none");

    let warnings = config.warnings().join("\n");
    assert!(
        warnings.contains("are not used: OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER."),
        "{warnings}"
    );
    let report = config.report().to_string();
    assert!(
        report.contains("service.name = shop (configuration file, line 3)"),
        "{report}"
    );
    assert!(!report.contains("s3cr3t"), "{report}");
}

#[test]
fn values_are_judged_by_the_rules_of_the_variables_and_all_at_once() {
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
        "FILE:9: tracer_provider.processors[0].batch.exporter.otlp_http=***: pair 2 has no `=`",
        "FILE:10: tracer_provider.processors[0].batch.exporter.otlp_http.endpoint=collector:4318: ",
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
    let missing = TelemetryConfig::from_vars([("OTEL_CONFIG_FILE", "/nowhere/otel.yaml")])
        .expect_err("there is none");
    assert!(
        missing
            .to_string()
            .starts_with("OTEL_CONFIG_FILE=/nowhere/otel.yaml: the file cannot be read: "),
        "{missing}"
    );
}
