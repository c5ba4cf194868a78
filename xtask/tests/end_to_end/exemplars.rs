//! Exemplars: from a recorded value to the span in Jaeger, through the Collector and by a scrape of the service.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use xtask::python;
use xtask::stack::Stack;
use xtask::stack::query::{jaeger_trace, prometheus_api, prometheus_api_at};

use crate::four_paths::prometheus::{Prometheus, without_a_collector};
use crate::server::{Protocol, Server, agent};
use crate::support::{eventually, scratch, stack};

/// Histograms, and whether an exemplar is the duration of the span that it names.
const HISTOGRAMS: [(&str, bool); 3] = [
    ("rustok_http_request_duration_seconds", true),
    ("rustok_database_query_duration_seconds", true),
    ("rustok_server_catalogue_order_duration_seconds", false),
];
const COUNTER: &str = "rustok_http_requests_total";
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Exemplar {
    trace: String,
    span: String,
    seconds: f64,
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn exemplars_lead_to_the_spans_that_they_measure() {
    let stack = stack("exemplars");
    let folder = scratch("exemplars_server");
    let server = Server::start(&stack, &folder, "one", Protocol::Grpc, &["--traffic"], &[]);
    let scrape = Prometheus::start(
        &folder.join("scrape"),
        Some(without_a_collector()),
        &[("services", server.url.trim_start_matches("http://"))],
        &["--enable-feature=exemplar-storage"],
    );
    for (metric, is_duration) in HISTOGRAMS {
        let series = format!("{metric}_bucket");
        let collected = eventually(LIMIT, || {
            stored(&series, |parameters| {
                prometheus_api(&stack, "query_exemplars", parameters)
                    .map_err(|error| error.to_string())
            })
        });
        let scraped = eventually(LIMIT, || {
            stored(&series, |parameters| {
                prometheus_api_at(&scrape.url, "query_exemplars", parameters)
                    .map_err(|error| error.to_string())
            })
        });
        for (way, exemplars) in [("the Collector", collected), ("a scrape", scraped)] {
            for exemplar in &exemplars {
                eventually(LIMIT, || leads_to_its_span(&stack, exemplar, is_duration));
            }
            let count = exemplars.len();
            println!("{metric}: {count} exemplars by {way}, all of their spans are in Jaeger");
        }
    }
    // A counter keeps its name, with and without `_total`.
    for counter in [COUNTER, "rustok_http_requests_by_endpoint"] {
        for found in [
            prometheus_api(&stack, "query", &[("query", counter)]),
            prometheus_api_at(&scrape.url, "query", &[("query", counter)]),
        ] {
            assert_ne!(found.expect("a result")["result"], Value::Array(vec![]));
        }
    }
    server.stop();
}

#[test]
#[cfg_attr(
    any(stack_missing, python_missing),
    ignore = "needs python3, Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn an_independent_parser_accepts_openmetrics() {
    let stack = stack("openmetrics");
    let folder = scratch("openmetrics_server");
    let server = Server::start(&stack, &folder, "one", Protocol::Http, &["--traffic"], &[]);
    let python = python::with_prometheus_client().expect("Python with prometheus_client");
    let url = format!("{}/api/_health/metrics", server.url);
    let with_exemplars = eventually(LIMIT, || {
        let answer = agent().get(&url).header("Accept", ACCEPT).call();
        let mut answer = answer.map_err(|error| error.to_string())?;
        let content_type = answer.headers()["content-type"].clone();
        assert_eq!(
            content_type,
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        let body = answer.body_mut().read_to_string();
        let file = folder.join("openmetrics.txt");
        fs::write(&file, body.expect("text")).expect("a file");
        let mut parser = Command::new(&python);
        let output = parser.args(["-c", PARSER]).arg(&file).output();
        let output = output.expect("Python runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let names = String::from_utf8(output.stdout).expect("text");
        let names: BTreeSet<_> = names.lines().map(str::to_owned).collect();
        let missing = HISTOGRAMS
            .iter()
            .map(|(metric, _)| format!("{metric}_bucket"))
            .chain([COUNTER.to_owned()])
            .find(|sample| !names.contains(sample));
        missing.map_or(Ok(names), |sample| Err(format!("{sample} has no exemplar")))
    });
    println!("{} samples have exemplars", with_exemplars.len());
    server.stop();
}

/// Sent by Prometheus 3.16.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                      application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/// Parses a file and prints the names of the samples that have an exemplar.
const PARSER: &str = r#"
import sys
from prometheus_client.openmetrics.parser import text_fd_to_metric_families
with open(sys.argv[1], encoding="utf-8", newline="") as file:
    for family in text_fd_to_metric_families(file):
        for sample in family.samples:
            if sample.exemplar:
                assert set(sample.exemplar.labels) == {"trace_id", "span_id"}, sample
                assert sample.exemplar.timestamp is not None, sample
                print(sample.name)
"#;

/// Returns the exemplars of a series, of which there have to be some.
fn stored(
    series: &str,
    query: impl Fn(&[(&str, &str)]) -> Result<Value, String>,
) -> Result<Vec<Exemplar>, String> {
    let selector = format!("{series}{{job=\"rustok-server\"}}");
    let parameters = [("query", &*selector), ("start", "0"), ("end", "9999999999")];
    let found = query(&parameters)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let exemplars: Vec<_> = list(&found)
        .iter()
        .flat_map(|series| list(&series["exemplars"]))
        .map(|exemplar| {
            let label = |name: &str| {
                let value = exemplar["labels"][name].as_str();
                value.unwrap_or_else(|| panic!("{exemplar}")).to_owned()
            };
            let value = exemplar["value"]
                .as_str()
                .and_then(|text| text.parse().ok());
            Exemplar {
                trace: label("trace_id"),
                span: label("span_id"),
                seconds: value.unwrap_or_else(|| panic!("{exemplar}")),
            }
        })
        .collect();
    match exemplars.is_empty() {
        true => Err(format!("{series} has no exemplars: {found}")),
        false => Ok(exemplars),
    }
}

/// Checks that the span of an exemplar is in Jaeger and about as long as the exemplar says, or at least as long.
fn leads_to_its_span(stack: &Stack, exemplar: &Exemplar, is_duration: bool) -> Result<(), String> {
    let Exemplar {
        trace,
        span,
        seconds,
    } = exemplar;
    let found = jaeger_trace(stack, trace).map_err(|error| error.to_string())?;
    let found = found.ok_or_else(|| format!("Jaeger has no trace {trace}"))?;
    let mut spans = found["spans"].as_array().into_iter().flatten();
    let found = spans.find(|one| one["spanID"].as_str() == Some(span));
    let found = found.ok_or_else(|| format!("the trace {trace} has no span {span}"))?;
    let microseconds = found["duration"].as_f64().expect("a duration");
    let longer = microseconds / 1e6 - seconds;
    let tolerance = 0.02 + seconds / 10.0;
    // The driver's thread keeps the span of a cancelled query open until the database has interrupted it.
    let mut tags = found["tags"].as_array().into_iter().flatten();
    let is_cancelled = tags.any(|tag| tag["value"] == "cancelled");
    let is_right = match is_duration && !is_cancelled {
        true => longer.abs() < tolerance,
        false => longer > -tolerance,
    };
    assert!(is_right, "{exemplar:?} names {found}");
    Ok(())
}
