//! `OTEL_CONFIG_FILE`: OpenTelemetry's declarative configuration, a YAML file (feature `config-file`).
//!
//! ```yaml
//! file_format: "1.0"
//! resource:
//!   attributes:
//!     - name: service.name
//!       value: shop
//! tracer_provider:
//!   sampler:
//!     parent_based:
//!       root:
//!         trace_id_ratio_based:
//!           ratio: ${SAMPLING_RATIO:-0.1}
//!   processors:
//!     - batch:
//!         exporter:
//!           otlp_grpc:
//!             endpoint: http://collector:4317
//! ```
//!
//! The file takes the place of all other `OTEL_*` variables, as the specification says; those that are set are named in
//! a notice. Each of its settings is what a variable sets, and is checked by the same code: `schema.rs` says which is
//! which, `document.rs` reads the YAML, and `substitution.rs` puts in the environment's values. An unknown key, a
//! value that cannot be used and a part of the specification that this version does not have are errors, each with its
//! line; all are reported at once.

mod document;
mod keys;
mod lists;
mod reading;
mod schema;
mod substitution;
mod views;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
};

use self::{document::Document, reading::Reading};
use super::{
    View,
    env::{Place, Reader},
    telemetry::ConfigFile,
};

/// What a file says, as the variables that would say the same.
#[derive(Debug, Default)]
struct FileSettings {
    /// By the variable's name: the value, and where it stands.
    values: BTreeMap<&'static str, (String, Place)>,
    /// What no variable says.
    views: Option<(Vec<View>, Place)>,
    /// What is wrong, as far as no variable's rules say so.
    diagnostics: Vec<(Place, String)>,
}

/// Reads the file that `OTEL_CONFIG_FILE` names, if it does, in place of the other variables. `${…}` in the file takes
/// its values from `environment`.
pub(super) fn apply(
    reader: &mut Reader,
    environment: &BTreeMap<OsString, OsString>,
) -> Option<ConfigFile> {
    let path = reader.raw(VARIABLE)?.to_owned();
    let variable = |name: &str| {
        let value = environment.get(OsStr::new(name))?;
        value.to_str().map(str::to_owned)
    };
    let read = fs::read_to_string(&path).map_err(|error| error.to_string());
    match read.and_then(|text| parse(&text, &variable)) {
        Ok(FileSettings {
            values,
            views,
            diagnostics,
        }) => {
            let not_used = reader.replace_values(&path, values);
            if let Some((views, place)) = views {
                reader.keep_views(views, place.line);
            }
            for (place, why) in diagnostics {
                reader.refuse_place(place, why);
            }
            Some(ConfigFile { path, not_used })
        }
        Err(why) => {
            reader.refuse(VARIABLE, format!("the file cannot be read: {why}"));
            None
        }
    }
}

const VARIABLE: &str = "OTEL_CONFIG_FILE";

fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<FileSettings, String> {
    let document = Document::parse(text)?;
    let mut reading = Reading::new(variable);
    reading.file(document.root());
    Ok(reading.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> FileSettings {
        let variable = |name: &str| match name {
            "RATIO" => Some("0.25".to_owned()),
            "TOKEN" => Some("a, b=c".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        parse(text, &variable).expect("YAML")
    }

    fn values(text: &str) -> Vec<(&'static str, String)> {
        let settings = settings(text);
        assert!(
            settings.diagnostics.is_empty(),
            "{:?}",
            settings.diagnostics
        );
        let values = settings.values.into_iter();
        values.map(|(name, (value, _))| (name, value)).collect()
    }

    fn diagnostics(text: &str) -> Vec<String> {
        let diagnostics = settings(text).diagnostics;
        diagnostics
            .iter()
            .map(|(place, why)| format!("{}: {}: {why}", place.line, place.path))
            .collect()
    }

    #[test]
    fn a_whole_file_is_what_variables_would_say() {
        let text = r#"
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
        let expected = [
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
        let mut expected = expected
            .map(|(name, value)| (name, value.to_owned()))
            .to_vec();
        expected.sort();
        let mut actual = values(text);
        actual.sort();
        assert_eq!(actual, expected);
    }

    #[test]
    fn without_a_provider_nothing_is_sent() {
        let actual = values("file_format: '1.0'\n");
        let none = |name| (name, "none".to_owned());
        let signals = [
            "OTEL_LOGS_EXPORTER",
            "OTEL_METRICS_EXPORTER",
            "OTEL_PROPAGATORS",
            "OTEL_TRACES_EXPORTER",
        ];
        assert_eq!(actual, signals.map(none));
    }

    #[test]
    fn every_problem_has_its_line_and_its_path() {
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
        assert_eq!(
            diagnostics(text),
            [
                "1: file_format: `2.0` is not a version that can be read; these are: 1.0, 1.1, 1.2, such as \"1.0\"",
                "3: resource.atributes: unknown key; did you mean `attributes`?",
                "7: tracer_provider.processors[0].batch.schedule_delay: a mapping, where one value is expected",
                "10: tracer_provider.processors[0].batch.exporter.otlp_http.endpoint: a list, where one value is expected",
                "11: tracer_provider.processors[0].batch.exporter.otlp_http.encoding: `json` is not supported by this version: OTLP is sent as protobuf",
                "17: tracer_provider.sampler.always_off: one key is expected here, and `always_on` stands before it",
                "20: meter_provider.readers[0].periodic: one value, where a mapping is expected",
                "22: meter_provider.views[0]: the boundaries of a histogram are finite, and increase",
                "22: meter_provider.views[0].selector.unit: only `instrument_name` is supported by this version",
                "23: meter_provider.views[0].stream.name: not supported by this version: the catalogue says what metrics are called and which labels they have",
                "24: instrumentation/development: not supported by this version",
                "25: colour: unknown key",
            ]
        );
    }

    #[test]
    fn values_of_the_environment_are_put_in_as_the_specification_says() {
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
            let all = values(&text);
            let found = all
                .iter()
                .find(|(name, _)| *name == "OTEL_RESOURCE_ATTRIBUTES");
            let (_, pairs) = found.expect("attributes");
            let decoded = super::super::list::parse_pairs(pairs, true).expect("pairs");
            assert_eq!(decoded[0].1, expected, "{written}");
        }
        assert_eq!(
            diagnostics("file_format: '1.0'\ndisabled: ${1BAD}\n"),
            [
                "2: disabled: `${1BAD}` is no reference to a variable: write ${NAME} or ${NAME:-default}, and $$ for a plain $"
            ]
        );
    }

    #[test]
    fn what_is_no_yaml_says_where() {
        let error = parse("a: [1\nb: 2\n", &|_| None).expect_err("broken");
        assert!(error.contains("line 2"), "{error}");
        let error = parse("- a\n", &|_| None).map(|file| file.diagnostics.len());
        assert_eq!(error, Ok(2), "no mapping, and no version in it");
    }
}
