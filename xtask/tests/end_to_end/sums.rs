//! Two instances of the service add up.

use std::collections::BTreeMap;
use std::time::Duration;

use rustok_telemetry::metrics::Kind;
use xtask::stack::query::prometheus_query;

use crate::exposition::parse;
use crate::server::{Protocol, Server};
use crate::support::{GRPC_SERVER, catalogue_without, eventually, scratch, stack};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn the_sum_over_two_instances_is_the_sum_of_both() {
    let stack = stack("sums");
    let folder = scratch("sums_server");
    let instances =
        [("one", Protocol::Grpc), ("two", Protocol::Http)].map(|(instance, protocol)| {
            Server::start(&stack, &folder, instance, protocol, &["--traffic"], &[])
        });
    std::thread::sleep(Duration::from_secs(20));

    let mut expected = BTreeMap::new();
    for server in instances {
        let (status, text) = server.stop();
        assert!(status.success());
        for (name, family) in parse(&text) {
            let total: f64 = family.samples.values().sum();
            *expected.entry(name).or_insert(0.0) += total;
        }
    }
    let counters: Vec<_> = catalogue_without(GRPC_SERVER)
        .into_iter()
        .filter(|metric| metric.kind == Kind::Counter)
        .map(|metric| metric.name)
        .collect();
    for name in &counters {
        let both: f64 = expected.get(*name).copied().unwrap_or_default();
        assert!(both > 0.0, "{name} was never recorded");
        eventually(Duration::from_secs(30), || {
            let query = format!("sum({name}{{job=\"rustok-server\"}})");
            let sum = prometheus_query(&stack, &query).map_err(|error| error.to_string())?;
            let sum = sum.first().map(|sample| sample.value).unwrap_or_default();
            if sum == both {
                Ok(())
            } else {
                Err(format!(
                    "{name}: {sum} in Prometheus, {both} in both last texts"
                ))
            }
        });
    }
    println!(
        "the sums of {} counters are the sums of both instances",
        counters.len()
    );
}
