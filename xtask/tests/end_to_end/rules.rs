//! Prometheus loads every rule, and evaluates each on what a service really sends.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use xtask::stack::query::{prometheus_api, prometheus_query};

use crate::server::{Protocol, Server};
use crate::support::{eventually, scratch, stack};

/// What only a service with traffic makes Prometheus record.
const RECORDED: [&str; 6] = [
    "job:rustok_http_requests_failed:ratio_rate5m",
    "job:rustok_http_request_duration_seconds:p95_rate5m",
    "job_cache:rustok_cache_hits:ratio_rate5m",
    "job:rustok_database_query_duration_seconds:p95_rate5m",
    "job_slo:slo_burn:rate5m{slo=\"http-availability\"}",
    "job_slo:slo_burn:rate5m{slo=\"http-latency\"}",
];

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn every_rule_is_evaluated_on_real_series() {
    let stack = stack("rules");
    let server = Server::start(
        &stack,
        &scratch("rules_server"),
        "one",
        Protocol::Grpc,
        &["--traffic"],
        &[],
    );
    // A group is first evaluated at some moment of its interval of 15 s; rates need two scrapes.
    let rules = eventually(Duration::from_secs(60), || {
        let groups = prometheus_api(&stack, "rules", &[]).map_err(|error| error.to_string())?;
        let rules = rules(&groups);
        let waiting = rules
            .iter()
            .filter(|rule| rule["health"] == "unknown")
            .count();
        if rules.is_empty() || waiting > 0 {
            return Err(format!("{waiting} of {} rules wait", rules.len()));
        }
        Ok(rules)
    });
    for rule in &rules {
        assert_eq!(
            rule["health"], "ok",
            "{}: {}",
            rule["name"], rule["lastError"]
        );
    }
    for series in RECORDED {
        eventually(Duration::from_secs(60), || {
            let found = prometheus_query(&stack, series).map_err(|error| error.to_string())?;
            match found
                .iter()
                .find(|sample| sample.label("job") == "rustok-server")
            {
                Some(sample) if sample.value.is_finite() => Ok(()),
                other => Err(format!("{series}: {other:?}")),
            }
        });
    }
    // Prometheus tells of alerts from the second evaluation on.
    let firing = eventually(Duration::from_secs(60), || {
        let firing = prometheus_query(&stack, "ALERTS{alertstate=\"firing\"}")
            .map_err(|error| error.to_string())?;
        let firing: BTreeSet<_> = firing
            .iter()
            .map(|sample| sample.label("alertname").to_owned())
            .collect();
        if firing.contains("Watchdog") {
            Ok(firing)
        } else {
            Err(format!("firing: {firing:?}"))
        }
    });
    println!("{} rules are evaluated; firing: {firing:?}", rules.len());
    server.stop();
}

fn rules(groups: &Value) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&groups["groups"])
        .iter()
        .flat_map(|group| list(&group["rules"]))
        .collect()
}
