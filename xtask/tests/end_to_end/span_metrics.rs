//! What the Collector makes of spans: durations with the traces behind them, and who calls whom.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use xtask::stack::query::{jaeger_trace, prometheus_api, prometheus_query};

use crate::server::{Protocol, Server};
use crate::support::{eventually, scratch, stack};

const DURATION: &str = "traces_span_metrics_duration_bucket{job=\"rustok-server\"}";
/// The connectors hand on every 15 s.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn buckets_lead_to_traces_and_calls_to_services() {
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
    // What applications send has one exporter, what is made of spans another: nothing is there twice.
    for name in ["target_info", "rustok_http_requests_total"] {
        let twice =
            format!("count by (__name__, job, instance, method, path, status) ({name}) > 1");
        let found = prometheus_query(&stack, &twice).expect("a result");
        assert!(found.is_empty(), "{found:?}");
    }
    server.stop();
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
