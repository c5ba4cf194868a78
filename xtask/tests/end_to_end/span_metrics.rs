//! What the Collector makes of spans: durations with the traces behind them, and who calls whom.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use xtask::stack::query::{jaeger_trace, prometheus_api, prometheus_query};
use xtask::stack::{Port, Stack};

use crate::server::{Protocol, Server, agent};
use crate::support::{eventually, scratch, stack};

const DURATION: &str = "traces_span_metrics_duration_bucket{job=\"rustok-server\"}";
/// The connectors hand on every 15 s.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn exemplars_link_to_traces_and_calls_to_services() {
    let stack = stack("span_metrics");
    let folder = scratch("span_metrics_server");
    let server = Server::start(&stack, &folder, "one", Protocol::Grpc, &["--traffic"], &[]);

    let traces = eventually(LIMIT, || {
        let parameters = [("query", DURATION), ("start", "0"), ("end", "9999999999")];
        let found = prometheus_api(&stack, "query_exemplars", &parameters)
            .map_err(|error| error.to_string())?;
        let traces = trace_ids(&found);
        if traces.len() < 10 {
            return Err(format!("{} traces: {found}", traces.len()));
        }
        Ok(traces)
    });
    // A bucket may be there a moment before its trace.
    for id in &traces {
        eventually(LIMIT, || {
            match jaeger_trace(&stack, id).map_err(|error| error.to_string())? {
                Some(_) => Ok(()),
                None => Err(format!("Jaeger has no trace {id}")),
            }
        });
    }
    println!(
        "{} exemplars, all of their traces are in Jaeger",
        traces.len()
    );

    let calls =
        "traces_service_graph_request_total{client=\"rustok-server\", server=\"rustok-inventory\"}";
    eventually(LIMIT, || {
        match &*prometheus_query(&stack, calls).map_err(|error| error.to_string())? {
            [] => Err(format!("{calls} does not exist")),
            found => {
                println!("{calls} {}", found[0].value);
                Ok(())
            }
        }
    });
    // Jaeger's page "Monitor" reads the same series.
    for (about, more) in [
        ("calls", ""),
        ("errors", ""),
        ("latencies", "&quantile=0.95"),
    ] {
        let points = eventually(LIMIT, || monitored(&stack, about, more));
        println!("Monitor: {points} points of {about}");
    }
    // What applications send has one exporter, what is made of spans another: nothing is there twice.
    for name in ["target_info", "rustok_http_requests_total"] {
        let twice =
            format!("count by (__name__, job, instance, method, path, status) ({name}) > 1");
        let found = prometheus_query(&stack, &twice).expect("a result");
        assert!(found.is_empty(), "{found:?}");
    }
    server.stop();
}

/// How many points with a value Jaeger has about the service.
fn monitored(stack: &Stack, about: &str, more: &str) -> Result<usize, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("after 1970").as_millis();
    let url = format!(
        "{}/api/metrics/{about}?service=rustok-server&spanKind=server&endTs={now}&lookback=120000&step=5000\
         &ratePer=60000{more}",
        stack.ports().url(Port::JaegerQuery)
    );
    let mut answer = agent()
        .get(&url)
        .call()
        .map_err(|error| error.to_string())?;
    let answer: Value = answer
        .body_mut()
        .read_json()
        .map_err(|error| error.to_string())?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let points = list(&answer["metrics"])
        .iter()
        .flat_map(|metric| list(&metric["metricPoints"]))
        .filter(|point| point["gaugeValue"]["doubleValue"].is_number())
        .count();
    match points {
        0 => Err(format!("{url}: {answer}")),
        points => Ok(points),
    }
}

/// The ids in the labels of all exemplars.
fn trace_ids(found: &Value) -> BTreeSet<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(found)
        .iter()
        .flat_map(|series| list(&series["exemplars"]))
        .map(|exemplar| {
            let id = exemplar["labels"]["trace_id"].as_str();
            id.expect("an exemplar has a trace").to_owned()
        })
        .collect()
}
