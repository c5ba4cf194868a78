//! Every outcome is seen exactly once in Prometheus and in Jaeger too: the table of `rustok-telemetry/tests/outcomes`,
//! run in this process, which pushes to the real Collector.

#[path = "../../../rustok-telemetry/tests/outcomes/events.rs"]
mod events;
#[path = "../../../rustok-telemetry/tests/outcomes/functions.rs"]
mod functions;
#[path = "../../../rustok-telemetry/tests/outcomes/http.rs"]
mod http;
#[path = "../../../rustok-telemetry/tests/outcomes/streams.rs"]
mod streams;
#[path = "../../../rustok-telemetry/tests/outcomes/table.rs"]
mod table;

use std::env;
use std::process::Command;
use std::time::Duration;

use rustok_telemetry::config::TelemetryConfig;
use rustok_telemetry::metrics::{Kind, catalogue};
use serde_json::Value;
use xtask::stack::query::{jaeger_traces, prometheus_query};
use xtask::stack::{Port, Stack};

use crate::support::{WITH_THE_SDK, eventually, stack};
use table::{Case, SpanEnd, Traces, WATCHED};

const SERVICE: &str = "outcomes";

/// The exporters of the process that the test starts.
const EXPORTERS: &str = "TEST_OUTCOMES_EXPORTERS";

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn every_outcome_arrives_exactly_once() {
    if let Ok(exporters) = env::var(EXPORTERS) {
        return check(&exporters);
    }
    for exporters in ["otlp", WITH_THE_SDK] {
        let test = "outcomes::every_outcome_arrives_exactly_once";
        let output = Command::new(env::current_exe().expect("a path"))
            .args(["--exact", test, "--include-ignored", "--nocapture"])
            .env(EXPORTERS, exporters)
            .output()
            .expect("the test runs again");
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(
            output.status.success() && stdout.contains("1 passed"),
            "{exporters}: {stdout}{stderr}"
        );
        // Only spans of the SDK are written by the console exporter.
        let is_by_the_sdk = stdout.contains("function_sync_panic");
        assert_eq!(is_by_the_sdk, exporters == WITH_THE_SDK, "{stdout}");
    }
}

fn check(exporters: &str) {
    let stack = stack("outcomes");
    let endpoint = stack.ports().url(Port::CollectorOtlpGrpc);
    let config = TelemetryConfig::from_vars([
        ("OTEL_SERVICE_NAME", SERVICE),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_EXPORTER", exporters),
    ])
    .expect("a valid configuration");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");

    let cases = Case::all();
    let mut expected = Traces::default();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for case in &cases {
        expected.merge(case.expected());
        runtime.block_on(case.run());
    }
    drop(runtime);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");

    eventually(Duration::from_secs(60), || {
        let mut seen = Traces::default();
        for metric in WATCHED {
            read_metric(&stack, metric, &mut seen)?;
        }
        for trace in jaeger_traces(&stack, SERVICE).map_err(|error| error.to_string())? {
            read_spans(&trace, &mut seen);
        }
        seen.spans.sort();
        if seen == expected {
            Ok(())
        } else {
            Err(format!("seen {seen:#?}\nexpected {expected:#?}"))
        }
    });
    println!(
        "{} cases: {} series in Prometheus and {} spans in Jaeger, exactly as expected",
        cases.len(),
        expected.series.len(),
        expected.spans.len()
    );
}

fn read_metric(stack: &Stack, metric: &'static str, seen: &mut Traces) -> Result<(), String> {
    let is_histogram = |name| {
        let mut all = catalogue().into_iter();
        all.any(|declared| declared.name == name && declared.kind == Kind::Histogram)
    };
    let suffix = if is_histogram(metric) { "_count" } else { "" };
    let query = format!("{metric}{suffix}{{job=\"{SERVICE}\"}}");
    let samples = prometheus_query(stack, &query).map_err(|error| error.to_string())?;
    for mut sample in samples {
        let of_the_path = ["__name__", "job", "instance"];
        sample
            .labels
            .retain(|name, _| !of_the_path.contains(&name.as_str()));
        seen.series.insert((metric, sample.labels), sample.value);
    }
    Ok(())
}

fn read_spans(trace: &Value, seen: &mut Traces) {
    for span in trace["spans"].as_array().into_iter().flatten() {
        let tag = |key: &str| {
            let mut tags = span["tags"].as_array().into_iter().flatten();
            let tag = tags.find(|tag| tag["key"] == key)?;
            Some(tag["value"].as_str().unwrap_or_default().to_owned())
        };
        let failed = tag("otel.status_code").is_some_and(|status| status == "ERROR");
        let end = match (failed, tag("error.type"), tag("rustok.outcome")) {
            (true, Some(error_type), None) => SpanEnd::Error(error_type),
            (false, None, Some(outcome)) if outcome == "cancelled" => SpanEnd::Cancelled,
            (false, None, None) => SpanEnd::Ok,
            other => SpanEnd::Error(format!("contradictory: {other:?}")),
        };
        let name = span["operationName"].as_str().unwrap_or_default();
        seen.spans.push((name.to_owned(), end));
    }
}
