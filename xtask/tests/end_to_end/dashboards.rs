//! Every query of every panel has data in the real Prometheus, every variable has values, every link leads to traces.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use xtask::dashboards::file::{self, File, Times, list, text};
use xtask::dashboards::query::THIRD_PARTY;
use xtask::dashboards::selectors;
use xtask::stack::Stack;
use xtask::stack::programs::{self, Program};
use xtask::stack::query::{
    jaeger_search, jaeger_services, jaeger_trace, prometheus_api, prometheus_query,
};

use crate::server::{Protocol, Server};
use crate::support::{eventually, scratch, stack};

const TIMES: Times = Times {
    rate_interval: "1m",
    range: "5m",
};
/// The traffic has met everything by then, errors too.
const LIMIT: Duration = Duration::from_secs(150);

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn every_query_of_every_panel_has_data() {
    let started = SystemTime::now();
    let stack = stack("dashboards");
    let folder = scratch("dashboards_server");
    let logs = ("OTEL_LOGS_EXPORTER", "otlp");
    let server = Server::start(
        &stack,
        &folder,
        "one",
        Protocol::Grpc,
        &["--traffic"],
        &[logs],
    );
    server.is_scraped_by(&stack);
    let files = file::all();

    let deadline = Instant::now() + LIMIT;
    let left = || deadline.saturating_duration_since(Instant::now());
    for file in &files {
        eventually(left(), || nothing_is_missing(&stack, file));
    }
    for file in &files {
        print_table(&stack, file);
        deployments_are_marked(&stack, file, started);
    }
    what_appears_only_after_failures_exists();
    points_lead_to_traces(&stack, &files);
    links_lead_to_traces(&stack, &files, &server);
}

/// The panels without data, the selectors that select nothing, and the variables without values.
///
/// Each selector is asked for by itself too: `or` would hide one that is wrong.
fn nothing_is_missing(stack: &Stack, file: &File) -> Result<(), String> {
    let mut missing = Vec::new();
    for values in file.label_values() {
        if values_of(stack, file, values.series, values.label)?.is_empty() {
            missing.push(format!("variable {}", values.variable));
        }
    }
    for query in file.queries() {
        let name = format!("{} {}", query.panel["title"], query.target["refId"]);
        let filled = file.fill(query.expr, TIMES);
        if series(stack, &filled)? == 0 {
            missing.push(format!("{name}: {filled}"));
        }
        let selectors = selectors::of(&filled);
        assert!(!selectors.is_empty(), "{filled} selects nothing");
        for selector in selectors {
            let metric = selector.name.as_deref().unwrap_or_default();
            if !only_after_failures(metric) && series(stack, &selector.to_string())? == 0 {
                missing.push(format!("{name}: {selector}"));
            }
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{} without data:\n  {}",
            file.name,
            missing.join("\n  ")
        ))
    }
}

fn print_table(stack: &Stack, file: &File) {
    println!("\n{:<26}{:<46}{:>6}", file.name, "panel", "series");
    for panel in file.panels() {
        let queries = file
            .queries()
            .filter(|query| std::ptr::eq(query.panel, panel));
        let found =
            queries.map(|query| series(stack, &file.fill(query.expr, TIMES)).expect("a result"));
        println!(
            "{:<26}{:<46}{:>6}",
            "",
            text(&panel["title"]),
            found.sum::<usize>()
        );
    }
    for values in file.label_values() {
        let found = values_of(stack, file, values.series, values.label).expect("values");
        println!(
            "{:<26}{:<46}{:>6}",
            "",
            format!("${}", values.variable),
            found.len()
        );
    }
}

/// The start of the service is the start of a version that did not run before.
fn deployments_are_marked(stack: &Stack, file: &File, started: SystemTime) {
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs()
    };
    let (start, end) = (seconds(started), seconds(SystemTime::now()));
    for expr in file.annotations() {
        let query = file.fill(expr, TIMES);
        let (start, end) = (start.to_string(), end.to_string());
        let parameters = [
            ("query", &*query),
            ("start", &*start),
            ("end", &*end),
            ("step", "1"),
        ];
        let data = prometheus_api(stack, "query_range", &parameters).expect("a result");
        let marked: Vec<_> = list(&data["result"])
            .map(|series| text(&series["metric"]["job"]))
            .collect();
        assert!(marked.contains(&"rustok-server"), "{}: {data}", file.name);
    }
}

/// A name that no healthy Prometheus has: at least the Collector knows it.
fn what_appears_only_after_failures_exists() {
    let collector = programs::path(Program::Otelcol).expect("the program");
    for metric in THIRD_PARTY
        .iter()
        .filter(|metric| metric.only_after_failures)
    {
        // The exporter adds the suffix.
        let name = metric.name.strip_suffix("_total").expect("a counter");
        let found = Command::new("grep")
            .args(["--quiet", "--text", "--fixed-strings", name])
            .arg(&collector)
            .status()
            .expect("grep runs");
        assert!(found.success(), "the Collector knows no {name}");
    }
}

/// Behind each query of durations there are traces, and Jaeger has them: durations of spans from the Collector, and what
/// applications measure themselves.
fn points_lead_to_traces(stack: &Stack, files: &[File]) {
    let queries = files
        .iter()
        .flat_map(|file| file.queries().map(move |query| (file, query)));
    let with_points = queries.filter(|(_, query)| query.target["exemplar"] == true);
    let mut queries = 0;
    for (file, query) in with_points {
        queries += 1;
        let title = &query.panel["title"];
        let filled = file.fill(query.expr, TIMES);
        let parameters = [("query", &*filled), ("start", "0"), ("end", "9999999999")];
        let found = prometheus_api(stack, "query_exemplars", &parameters).expect("a result");
        let points: Vec<_> = list(&found)
            .flat_map(|series| list(&series["exemplars"]))
            .collect();
        let last = points
            .last()
            .unwrap_or_else(|| panic!("{title}: no points"));
        let id = text(&last["labels"]["trace_id"]);
        eventually(Duration::from_secs(30), || {
            match jaeger_trace(stack, id).map_err(|error| error.to_string())? {
                Some(_) => Ok(()),
                None => Err(format!("{title}: Jaeger has no trace {id}")),
            }
        });
        println!("{:<26}{:<46}{:>6} points", "", text(title), points.len());
    }
    assert!(queries >= 10, "{queries} queries");
}

/// What the panels' links search for is there: services by the label `job`, and slow traces; and in each trace the
/// instance that leads back to the metrics; and failed traces (`error=true`), which the storage in memory alone does not
/// find.
fn links_lead_to_traces(stack: &Stack, files: &[File], server: &Server) {
    let overview = files
        .iter()
        .find(|file| file.name == "rustok-overview.json")
        .expect("the overview");
    let jobs = values_of(stack, overview, "rustok_http_requests_total", "job").expect("values");
    eventually(Duration::from_secs(30), || {
        let services = jaeger_services(stack).map_err(|error| error.to_string())?;
        let missing: Vec<_> = jobs.iter().filter(|job| !services.contains(job)).collect();
        if !missing.is_empty() {
            return Err(format!("{missing:?} are not in {services:?}"));
        }
        let traces = jaeger_search(stack, "rustok-server", &[("minDuration", "1ms")])
            .map_err(|error| error.to_string())?;
        if traces.is_empty() {
            return Err("no trace takes a millisecond".to_owned());
        }
        let failed = jaeger_search(stack, "rustok-server", &[("tags", r#"{"error":"true"}"#)])
            .map_err(|error| error.to_string())?;
        if failed.is_empty() {
            return Err("no trace with an error".to_owned());
        }
        let instance = format!(
            "\"service.instance.id\",\"type\":\"string\",\"value\":\"{}\"",
            server.instance
        );
        for trace in traces {
            let processes = trace["processes"].to_string();
            if !processes.contains(&instance) {
                return Err(format!("no {instance} in {processes}"));
            }
        }
        Ok(())
    });
}

/// How many series have a value.
fn series(stack: &Stack, promql: &str) -> Result<usize, String> {
    let samples = prometheus_query(stack, promql).map_err(|error| error.to_string())?;
    Ok(samples
        .iter()
        .filter(|sample| !sample.value.is_nan())
        .count())
}

/// What Grafana lists for `label_values(series, label)`.
fn values_of(stack: &Stack, file: &File, series: &str, label: &str) -> Result<Vec<String>, String> {
    let endpoint = format!("label/{label}/values");
    let series = file.fill(series, TIMES);
    let values = prometheus_api(stack, &endpoint, &[("match[]", &series)])
        .map_err(|error| error.to_string())?;
    Ok(list(&values).map(|value| text(value).to_owned()).collect())
}

/// Series that a healthy stack does not have; of instances that are gone there are none either.
fn only_after_failures(name: &str) -> bool {
    if name.ends_with(":gone") {
        return true;
    }
    let mut metrics = THIRD_PARTY.iter();
    metrics.any(|metric| metric.name == name && metric.only_after_failures)
}
