//! Every metric of the catalogue reaches Prometheus, and is the same on every path; and a stop loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustok_telemetry::metrics::{Declaration, Kind, catalogue};
use xtask::stack::programs::{self, Program};
use xtask::stack::query::{prometheus_api, prometheus_query};
use xtask::stack::{Port, Stack};

use crate::exposition::{Families, Series, parse};
use crate::server::{Protocol, Server, agent};
use crate::support::{GRPC_SERVER, catalogue_without, eventually, scratch, stack};

/// The service, not the inventory that it starts, which is another job with the same instance here.
const SERVICE: &str = "job=\"rustok-server\"";

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn every_metric_is_the_same_on_every_path_and_a_stop_loses_nothing() {
    let stack = stack("every_metric");
    let folder = scratch("every_metric_server");
    let server = Server::start(&stack, &folder, "one", Protocol::Http, &["--traffic"], &[]);

    let metrics = catalogue_without(GRPC_SERVER);
    assert!(metrics.len() > 30, "{} metrics", metrics.len());
    eventually(Duration::from_secs(120), || {
        let text = parse(&server.text());
        let missing: Vec<_> = metrics
            .iter()
            .map(|metric| metric.name)
            .filter(|name| {
                !text.contains_key(*name)
                    || in_prometheus(&stack, name, &server.instance).is_empty()
            })
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("missing: {missing:?}"))
        }
    });

    let text = server.text();
    check_with_promtool(&text);
    let text = parse(&text);
    let collector = parse(&collector_text(&stack));
    let metadata = prometheus_api(&stack, "metadata", &[]).expect("metadata");
    for metric in &metrics {
        compare(metric, &text, &collector, &metadata);
        let series = in_prometheus(&stack, metric.name, &server.instance);
        let expected: BTreeSet<_> = declared_labels(metric)
            .into_iter()
            .chain(["job", "instance"])
            .collect();
        for one in &series {
            let labels: BTreeSet<_> = one
                .labels
                .keys()
                .map(String::as_str)
                .filter(|name| *name != "le")
                .collect();
            assert_eq!(labels, expected, "labels of {one:?} in Prometheus");
        }
    }
    println!(
        "{} metrics are the same in the text, at the Collector and in Prometheus",
        metrics.len()
    );

    the_inventory_has_those_of_grpc_servers(&stack);

    let (status, last) = server.stop();
    assert!(status.success(), "{status}");
    let last = recorded(&parse(&last));
    assert!(last.len() > 300, "{} series", last.len());
    eventually(Duration::from_secs(30), || {
        let kept = kept_of(&stack, "one");
        let lost: Vec<_> = last
            .iter()
            .filter(|(series, value)| {
                kept.get(series)
                    .is_none_or(|kept| (kept - **value).abs() > 1e-9 * value.abs())
            })
            .map(|(series, value)| {
                format!("{series:?}: {value}, in Prometheus {:?}", kept.get(series))
            })
            .collect();
        if lost.is_empty() {
            Ok(())
        } else {
            Err(format!("{} differ, such as {}", lost.len(), lost[0]))
        }
    });
    for metric in metrics
        .iter()
        .filter(|one| one.kind.prometheus_type() == "gauge")
    {
        eventually(Duration::from_secs(10), || {
            match in_prometheus(&stack, metric.name, "one").len() {
                0 => Ok(()),
                left => Err(format!("{left} series of {} are left", metric.name)),
            }
        });
    }
    println!(
        "after SIGTERM all {} series of the last text have their values in Prometheus, and no gauge is left",
        last.len()
    );
}

fn the_inventory_has_those_of_grpc_servers(stack: &Stack) {
    let all = catalogue();
    let metrics = all
        .iter()
        .filter(|metric| metric.name.starts_with(GRPC_SERVER));
    for metric in metrics {
        let suffix = match metric.kind {
            Kind::Histogram => "_count",
            _ => "",
        };
        let query = format!("{}{suffix}{{job=\"rustok-inventory\"}}", metric.name);
        eventually(Duration::from_secs(60), || {
            match prometheus_query(stack, &query) {
                Ok(series) if series.is_empty() => Err(format!("{query} is empty")),
                result => result.map_err(|error| error.to_string()),
            }
        });
    }
}

/// Name, type, help and labels in the application's text, in the Collector's, and in Prometheus' metadata.
fn compare(
    metric: &Declaration,
    text: &Families,
    collector: &Families,
    metadata: &serde_json::Value,
) {
    let name = metric.name;
    let labels: BTreeSet<_> = declared_labels(metric).into_iter().collect();
    for (place, families) in [("the text", text), ("the Collector", collector)] {
        let family = families
            .get(name)
            .unwrap_or_else(|| panic!("{name} is missing in {place}"));
        assert_eq!(
            family.kind,
            metric.kind.prometheus_type(),
            "type of {name} in {place}"
        );
        assert_eq!(family.help, metric.help, "help of {name} in {place}");
        assert_eq!(family.label_names(), labels, "labels of {name} in {place}");
    }
    // Other programs of the stack have metrics of the process too.
    let (name, kind) = in_openmetrics(metric);
    let known = metadata[name].as_array().into_iter().flatten();
    let same = known
        .filter(|known| known["type"] == kind)
        .filter(|known| known["help"] == metric.help);
    assert_eq!(
        same.count(),
        1,
        "type and help of {name} in Prometheus: {}",
        metadata[name]
    );
}

/// Name and type of a metric in OpenMetrics, and in the metadata of a Prometheus that scrapes it.
pub(crate) fn in_openmetrics(metric: &Declaration) -> (&'static str, &'static str) {
    let family = metric.name.strip_suffix("_total");
    match (metric.kind.prometheus_type(), family) {
        ("counter", Some(family)) => (family, "counter"),
        ("counter", None) => (metric.name, "unknown"),
        (kind, _) => (metric.name, kind),
    }
}

pub(crate) fn declared_labels(metric: &Declaration) -> Vec<&'static str> {
    metric.labels.iter().map(|label| label.name).collect()
}

/// The series of a metric in Prometheus; for a histogram those of its buckets, sum and count.
fn in_prometheus(stack: &Stack, name: &str, instance: &str) -> Vec<Series> {
    let histogram = catalogue()
        .iter()
        .any(|metric| metric.name == name && metric.kind == Kind::Histogram);
    let suffixes: &[&str] = if histogram {
        &["_bucket", "_sum", "_count"]
    } else {
        &[""]
    };
    let mut series = Vec::new();
    for suffix in suffixes {
        let query = format!("{name}{suffix}{{{SERVICE}, instance=\"{instance}\"}}");
        let samples = prometheus_query(stack, &query).expect("a result");
        if samples.is_empty() {
            return Vec::new();
        }
        series.extend(samples.into_iter().map(|sample| {
            let labels = sample
                .labels
                .into_iter()
                .filter(|(name, _)| name != "__name__");
            Series::new(&format!("{name}{suffix}"), labels)
        }));
    }
    series
}

/// What the service recorded, without what goes on changing after the last text was written, and without gauges, which end
/// with the process.
fn recorded(families: &Families) -> BTreeMap<Series, f64> {
    families
        .iter()
        .filter(|(name, _)| name.starts_with("rustok_") && !goes_on(name))
        .filter(|(_, family)| family.kind != "gauge")
        .flat_map(|(_, family)| family.samples.clone())
        .collect()
}

/// Whether a metric goes on changing when nothing is recorded any more.
pub(crate) fn goes_on(name: &str) -> bool {
    let own = ["process_", "rustok_telemetry_", "rustok_tokio_"];
    own.iter().any(|own| name.starts_with(own)) || name == "rustok_module_error_rate"
}

/// Every `rustok_*` sample that Prometheus has of an instance, without `job` and `instance`.
fn kept_of(stack: &Stack, instance: &str) -> BTreeMap<Series, f64> {
    let query = format!("{{__name__=~\"rustok_.+\", {SERVICE}, instance=\"{instance}\"}}");
    let samples = prometheus_query(stack, &query).expect("a result");
    samples
        .into_iter()
        .map(|sample| {
            let name = sample.label("__name__").to_owned();
            let labels = sample
                .labels
                .into_iter()
                .filter(|(name, _)| !["__name__", "job", "instance"].contains(&name.as_str()));
            (Series::new(&name, labels), sample.value)
        })
        .collect()
}

fn collector_text(stack: &Stack) -> String {
    let url = format!("{}/metrics", stack.ports().url(Port::CollectorPrometheus));
    let mut answer = agent().get(&url).call().expect("the Collector answers");
    answer.body_mut().read_to_string().expect("text")
}

/// `promtool check metrics` may complain of the one counter that the guide names without `_total`, and of nothing else.
fn check_with_promtool(text: &str) {
    let promtool = programs::path(Program::Promtool).expect("promtool");
    let mut process = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    process
        .stdin
        .take()
        .expect("a pipe")
        .write_all(text.as_bytes())
        .expect("promtool reads");
    let output = process.wait_with_output().expect("promtool ends");
    let complaints = [output.stdout, output.stderr].concat();
    let complaints = String::from_utf8(complaints).expect("text");
    let complaints: Vec<_> = complaints.lines().collect();
    assert_eq!(
        complaints,
        ["rustok_http_requests_by_endpoint counter metrics should have \"_total\" suffix"]
    );
}
