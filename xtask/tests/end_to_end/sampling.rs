//! Sampling decides what is exported, not what is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use xtask::stack::Stack;
use xtask::stack::query::{jaeger_traces, prometheus_query};

use crate::server::{Protocol, Server, TENANT};
use crate::support::{eventually, scratch, stack};

const REQUESTS: usize = 200;

/// What a request for the products of a tenant consists of.
const REQUEST_OPERATIONS: [&str; 3] = ["http_request", "tenants.find", "catalogue.list"];

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn at_one_percent_the_span_metrics_count_the_same() {
    let stack = stack("sampling");
    let folder = scratch("sampling_server");
    let mut counts = Vec::new();
    for (instance, ratio) in [("all", "1"), ("few", "0.01")] {
        let variables = [
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", ratio),
            ("OTEL_SERVICE_NAME", instance),
        ];
        let server = Server::start(&stack, &folder, instance, Protocol::Grpc, &[], &variables);
        for _ in 0..REQUESTS {
            let (status, body) = server.request("GET", "/api/products", None, &[]);
            assert_eq!(status, 200, "{body}");
        }
        let (status, _) = server.stop();
        assert!(status.success());
        counts.push(created(&stack, instance));
    }
    assert_eq!(counts[0], counts[1]);

    let traces = |service| {
        jaeger_traces(&stack, service)
            .expect("Jaeger answers")
            .len()
    };
    let all = eventually(Duration::from_secs(30), || match traces("all") {
        // Jaeger's answer is limited to 100.
        all if all >= 100 => Ok(all),
        all => Err(format!("{all} traces")),
    });
    let few = traces("few");
    assert!(
        few < 20,
        "about 1 % of {REQUESTS} requests, but {few} traces"
    );
    println!(
        "{REQUESTS} requests each, the same counts of spans: {:?}; traces in Jaeger: ≥ {all} and {few}",
        counts[0]
    );
}

/// Spans of the requests and of what they cause, by operation; the service's housekeeping has no tenant.
fn created(stack: &Stack, instance: &str) -> BTreeMap<String, u64> {
    eventually(Duration::from_secs(30), || {
        let query = format!(
            "sum by (operation) (rustok_spans_created_total{{instance=\"{instance}\", tenant_id=\"{TENANT}\"}})"
        );
        let samples = prometheus_query(stack, &query).map_err(|error| error.to_string())?;
        let counts: BTreeMap<_, _> = samples
            .iter()
            .map(|sample| (sample.label("operation").to_owned(), sample.value as u64))
            .collect();
        // Every request causes each of these once.
        let complete = REQUEST_OPERATIONS
            .iter()
            .all(|operation| counts.get(*operation) == Some(&(REQUESTS as u64)));
        if complete {
            Ok(counts)
        } else {
            Err(format!("of {REQUESTS} requests are counted: {counts:?}"))
        }
    })
}
