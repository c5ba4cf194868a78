//! The four ways of metrics into Prometheus: the same names, labels, types, help texts and values.
//!
//! ```text
//! service ─┬─ /api/_health/metrics ◄───────────────────────── Prometheus
//!          └─ OTLP ──► Both ─┬─ OTLP ───────────────────────► Prometheus
//!                            └─► Collector ─┬─ :8889/metrics ◄ Prometheus
//!                                           └─ remote write ─► Prometheus
//! ```
//!
//! What differs is what Prometheus itself makes of a way, and no more:
//!
//! - Who is scraped gets `job` and `instance` from the scrape; who pushes, from service.name and service.instance.id.
//! - A scrape has `up` and `scrape_*`, and leaves type and help in Prometheus' metadata. Of what is pushed it keeps neither.
//! - The bound `le` of a bucket is spelled "1.0" from text, and "1" from OTLP and remote write.
//! - `target_info` has all attributes of the resource, but not those that became `job` and `instance`.

mod both;
pub(crate) mod prometheus;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use rustok_telemetry::metrics::{Declaration, Kind, catalogue};
use serde_json::{Value, json};
use xtask::stack::query::{Sample, prometheus_api_at, prometheus_query_at};
use xtask::stack::{Port, Ports};

use self::both::Both;
use self::prometheus::Prometheus;
use crate::collector::Collector;
use crate::every_metric::{declared_labels, goes_on, in_openmetrics};
use crate::exposition::Series;
use crate::server::{Protocol, Server};
use crate::support::{catalogue_without, eventually, scratch};

/// Both `service.name` and the job that scrapes it.
const JOB: &str = "rustok-server";

/// The metrics of gRPC, which the service does not use by default.
const GRPC: &str = "rustok_grpc_";

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn the_four_ways_into_prometheus_give_the_same() {
    let folder = scratch("four_paths");
    let receives = |way: &str, option| Prometheus::start(&folder.join(way), None, &[], &[option]);
    let otlp = receives("otlp", "--web.enable-otlp-receiver");
    let remote_write = receives("remote_write", "--web.enable-remote-write-receiver");
    let collector = Collector::start(
        "four_paths",
        &["remote-write"],
        &[(
            "PROMETHEUS_REMOTE_WRITE_URL",
            &format!("{}/api/v1/write", remote_write.url),
        )],
    );
    let both = Both::start([
        format!(
            "{}/v1/metrics",
            collector.ports.url(Port::CollectorOtlpHttp)
        ),
        format!("{}/api/v1/otlp/v1/metrics", otlp.url),
    ]);
    let server = Server::start_at(
        &collector.ports,
        &folder,
        "one",
        Protocol::Http,
        &requests::ARGUMENTS,
        &[
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &both.url),
            ("RUST_LOG", "off"),
        ],
    );
    let address = server.url.trim_start_matches("http://");
    let scrape = Prometheus::start(
        &folder.join("scrape"),
        Some(prometheus::without_a_collector()),
        &[("services", address)],
        &[],
    );
    let at_the_collector = collector.ports.address(Port::CollectorPrometheus);
    let collected = Prometheus::start(
        &folder.join("collector"),
        None,
        &[("otel-collector", &at_the_collector)],
        &[],
    );
    let ways = [
        Way::new("scrape", &scrape, address),
        Way::new("Collector", &collected, "one"),
        Way::new("OTLP", &otlp, "one"),
        Way::new("remote write", &remote_write, "one"),
    ];

    requests::one_of_each(&server);
    let four = eventually(Duration::from_secs(90), || {
        let four: Vec<_> = ways.iter().map(Way::read).collect::<Result<_, _>>()?;
        all_are_there(&four[0])?;
        // First the series, whatever their values: a wrong name is said before a value that is still on its way.
        let any_value: fn(&str) -> bool = |_| true;
        for differs in [any_value, goes_on] {
            for (way, other) in ways.iter().zip(&four).skip(1) {
                same(&four[0], other, differs).map_err(|error| format!("{}: {error}", way.name))?;
            }
        }
        Ok(four)
    });
    for (way, series) in ways.iter().zip(&four) {
        labels_are_declared(series);
        way.describes_as_it_can();
        way.spells_bounds_as_it_does();
        way.knows_the_target();
        let metrics: BTreeSet<_> = series.keys().map(|one| family(&one.name)).collect();
        let declared = catalogue();
        let declared = declared.iter().filter(|one| metrics.contains(one.name));
        println!(
            "{:>12}: {} metrics of the catalogue and {} more, {} series",
            way.name,
            declared.clone().count(),
            metrics.len() - declared.count(),
            series.len()
        );
    }

    // The last push is the same for all three that it went to: nothing goes on any more.
    let (status, _) = server.stop();
    assert!(status.success(), "{status}");
    eventually(Duration::from_secs(30), || {
        let pushed = ways[1..].iter().map(Way::read);
        let pushed: Vec<_> = pushed.collect::<Result<_, _>>()?;
        for (way, other) in ways[1..].iter().zip(&pushed) {
            same(&pushed[0], other, |_| false).map_err(|error| format!("{}: {error}", way.name))?;
        }
        Ok(())
    });
    // Beside it the Collector writes what it makes of spans, every 15 s.
    eventually(Duration::from_secs(30), || {
        let calls = prometheus_query_at(&remote_write.url, "traces_span_metrics_calls");
        let calls = calls.map_err(|error| error.to_string())?;
        let some = (!calls.is_empty()).then_some(());
        some.ok_or("no metrics of spans by remote write".to_owned())
    });
    println!("after SIGTERM every value is the same on the three ways of the last push");
}

/// Remote write alone is a push that nobody asks for again: what the Collector holds waits in it.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn the_last_push_waits_for_a_prometheus_that_is_away() {
    let folder = scratch("four_paths_away");
    let address = Ports::free().expect("free ports").address(Port::Prometheus);
    let collector = Collector::start(
        "four_paths_away",
        &["remote-write"],
        &[(
            "PROMETHEUS_REMOTE_WRITE_URL",
            &format!("http://{address}/api/v1/write"),
        )],
    );
    let server = Server::start_at(
        &collector.ports,
        &folder,
        "one",
        Protocol::Grpc,
        &requests::ARGUMENTS,
        &[("RUST_LOG", "off")],
    );
    let (status, body) = server.request("GET", "/api/products", None, &[]);
    assert_eq!(status, 200, "{body}");
    let (status, _) = server.stop();
    assert!(status.success(), "{status}");
    // Longer than the exporter tries unless it is told.
    sleep(Duration::from_secs(8));
    let option = "--web.enable-remote-write-receiver";
    let prometheus = Prometheus::start_at(&address, &folder.join("late"), None, &[], &[option]);
    let count = eventually(Duration::from_secs(30), || {
        let query = "rustok_http_requests_total{instance=\"one\"}";
        let found = prometheus_query_at(&prometheus.url, query);
        let found = found.map_err(|error| error.to_string())?;
        found
            .first()
            .map(|sample| sample.value)
            .ok_or("nothing arrived".to_owned())
    });
    assert_eq!(count, 1.0);
}

/// A way, at its end.
struct Way<'prometheus> {
    name: &'static str,
    at: &'prometheus Prometheus,
    /// The label that this way gives to what the service says of itself.
    instance: String,
}

type Values = BTreeMap<Series, f64>;

impl<'prometheus> Way<'prometheus> {
    fn new(name: &'static str, at: &'prometheus Prometheus, instance: &str) -> Self {
        let instance = instance.to_owned();
        Self { name, at, instance }
    }

    /// All that came from the service, but for what Prometheus adds to a scrape and makes by rules, what the Collector makes
    /// of spans and writes beside it, and the labels of the target.
    fn read(&self) -> Result<Values, String> {
        let mut values = Values::new();
        for sample in self.samples()? {
            let name = sample.label("__name__").to_owned();
            if name == "target_info" {
                continue;
            }
            let labels = sample.labels.into_iter();
            let labels =
                labels.filter(|(name, _)| !["__name__", "job", "instance"].contains(&&**name));
            let series = Series::new(&name, labels);
            if values.insert(series.clone(), sample.value).is_some() {
                return Err(format!("{series:?} is there twice"));
            }
        }
        Ok(values)
    }

    fn samples(&self) -> Result<Vec<Sample>, String> {
        let query =
            format!("{{job=\"{JOB}\", __name__!~\"up|scrape_.+|traces_.+|ALERTS.*|.+:.+\"}}");
        let samples = prometheus_query_at(&self.at.url, &query);
        let samples = samples.map_err(|error| error.to_string())?;
        match samples
            .iter()
            .find(|one| one.label("instance") != self.instance)
        {
            Some(stranger) => Err(format!("{stranger:?} is not of {}", self.instance)),
            None => Ok(samples),
        }
    }

    /// Type and help of each metric, as declared; nothing at all where the way does not carry them.
    fn describes_as_it_can(&self) {
        let metadata = prometheus_api_at(&self.at.url, "metadata", &[]).expect("metadata");
        if !self.is_scraped() {
            assert_eq!(metadata, json!({}), "{}", self.name);
            return;
        }
        for metric in catalogue_without(GRPC) {
            let (name, kind) = in_openmetrics(metric);
            let described: Vec<_> = list(&metadata[name])
                .map(|one| (text(&one["type"]), text(&one["help"])))
                .collect();
            let declared = (kind, metric.help);
            assert_eq!(described, [declared], "{} by {}", metric.name, self.name);
        }
    }

    /// Objectives and alerts stay clear of this difference: their bounds are no whole numbers.
    fn spells_bounds_as_it_does(&self) {
        let samples = self.samples().expect("an answer");
        let whole: BTreeSet<_> = samples
            .iter()
            .map(|sample| sample.label("le"))
            .filter(|bound| bound.parse::<f64>().is_ok_and(|bound| bound == 1.0))
            .collect();
        let expected = if self.is_scraped() { "1.0" } else { "1" };
        assert_eq!(whole, BTreeSet::from([expected]), "{}", self.name);
    }

    /// What deployments, and the annotations of dashboards, read from the resource.
    fn knows_the_target(&self) {
        let samples = self.samples().expect("an answer");
        let targets: Vec<_> = samples
            .iter()
            .filter(|sample| sample.label("__name__") == "target_info")
            .collect();
        assert_eq!(targets.len(), 1, "{}: {targets:?}", self.name);
        for label in ["service_version", "telemetry_sdk_language"] {
            assert_ne!(targets[0].label(label), "", "{label} by {}", self.name);
        }
    }

    fn is_scraped(&self) -> bool {
        ["scrape", "Collector"].contains(&self.name)
    }
}

/// Every metric of the catalogue has been recorded.
fn all_are_there(series: &Values) -> Result<(), String> {
    let names: BTreeSet<_> = series.keys().map(|one| one.name.as_str()).collect();
    let is_there = |metric: &Declaration| match metric.kind {
        Kind::Histogram => ["_bucket", "_sum", "_count"]
            .iter()
            .all(|suffix| names.contains(&*format!("{}{suffix}", metric.name))),
        _ => names.contains(metric.name),
    };
    let metrics = catalogue_without(GRPC);
    let missing: Vec<_> = metrics
        .iter()
        .filter(|metric| !is_there(metric))
        .map(|metric| metric.name)
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("nothing has recorded {missing:?}"))
    }
}

/// The same series, with the same values but for metrics that may differ in them.
fn same(one: &Values, other: &Values, differs: impl Fn(&str) -> bool) -> Result<(), String> {
    let only = |one: &Values, other: &Values| -> Vec<Series> {
        let only = one.keys().filter(|series| !other.contains_key(series));
        only.cloned().collect()
    };
    let (missing, more) = (only(one, other), only(other, one));
    if let Some(first) = missing.first().or(more.first()) {
        let (missing, more) = (missing.len(), more.len());
        return Err(format!(
            "{missing} series are missing and {more} are more: {first:?}"
        ));
    }
    let other_value = one
        .iter()
        .filter(|(series, _)| !differs(&series.name))
        .find(|(series, value)| other[series] != **value);
    match other_value {
        Some((series, value)) => Err(format!("{series:?}: {value} and {}", other[series])),
        None => Ok(()),
    }
}

/// A series has the labels of its declaration, and a bucket its bound. Nothing of a scope, and no suffix to a name.
fn labels_are_declared(series: &Values) {
    let metrics = catalogue();
    for one in series.keys() {
        let Some(metric) = metrics.iter().find(|metric| {
            let histogram = metric.kind == Kind::Histogram;
            metric.name
                == if histogram {
                    family(&one.name)
                } else {
                    &one.name
                }
        }) else {
            // The service has metrics of its own.
            assert!(one.name.starts_with("rustok_server_"), "{one:?}");
            continue;
        };
        let labels: BTreeSet<_> = one.labels.keys().map(String::as_str).collect();
        let bound = one.name.ends_with("_bucket").then_some("le");
        let declared: BTreeSet<_> = declared_labels(metric).into_iter().chain(bound).collect();
        assert_eq!(labels, declared, "{one:?}");
    }
}

/// The metric that a series of a histogram belongs to.
fn family(series: &str) -> &str {
    let suffix = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|suffix| series.strip_suffix(suffix));
    suffix.unwrap_or(series)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
