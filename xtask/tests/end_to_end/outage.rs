//! Jaeger crashes and stays away, and the Collector is restarted meanwhile: every span arrives afterwards.
//!
//! For as long as `RUSTOK_OUTAGE_SECONDS` says; 20 s unless set.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::progress::Reporter;
use xtask::stack::process::Stopped;
use xtask::stack::query::jaeger_search;
use xtask::stack::{Service, Stack};

use crate::exposition::parse;
use crate::server::{Protocol, Server, TENANT, agent};
use crate::support::{eventually, scratch, stack};

/// Between two requests.
const PAUSE: Duration = Duration::from_millis(40);

#[test]
fn no_span_is_lost_while_jaeger_is_away_and_the_collector_restarts() {
    let outage = std::env::var("RUSTOK_OUTAGE_SECONDS").map_or(20, |seconds| {
        seconds
            .parse()
            .expect("RUSTOK_OUTAGE_SECONDS is a number of seconds")
    });
    let third = Duration::from_secs(outage) / 3;
    let mut stack = stack("outage");
    let server = Server::start(
        &stack,
        &scratch("outage_server"),
        "one",
        Protocol::Grpc,
        &[],
        &[],
    );
    let reporter = &mut Reporter::stderr();
    let mut sent = BTreeSet::new();

    send_for(Duration::from_secs(3), &server, &mut sent);
    assert_eq!(stack.kill_one(Service::Jaeger), Stopped::Killed);
    send_for(third, &server, &mut sent);
    // Requests go on while the Collector is away.
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let mut sent = BTreeSet::new();
            send_for(third, &server, &mut sent);
            sent
        });
        assert_eq!(stack.stop_one(Service::Collector), Stopped::Gracefully);
        stack
            .start_one(Service::Collector, reporter)
            .expect("the Collector is back");
        sent.extend(sending.join().expect("no panic"));
    });
    send_for(third, &server, &mut sent);
    stack
        .start_one(Service::Jaeger, reporter)
        .expect("Jaeger is back");
    send_for(Duration::from_secs(3), &server, &mut sent);

    let (status, text) = server.stop();
    assert!(status.success(), "{status}");
    let metrics = parse(&text);
    let sum = |name: &str| -> f64 {
        let family = metrics.get(name);
        family.map_or(0.0, |family| family.samples.values().sum())
    };
    let created = sum("rustok_spans_created_total");
    assert_eq!(sum("rustok_telemetry_spans_lost_total"), 0.0, "{text}");
    let (spans, duplicates) = eventually(Duration::from_secs(120), || {
        let (traces, spans, duplicates) = arrived(&stack)?;
        let missing = sent.difference(&traces).count();
        if missing > 0 || (spans.len() as f64) < created {
            return Err(format!(
                "{missing} of {} traces are missing; {} of {created} spans",
                sent.len(),
                spans.len()
            ));
        }
        Ok((spans, duplicates))
    });
    assert_eq!(spans.len() as f64, created);
    println!(
        "Jaeger was away for {outage} s: {} traces, {} spans, none missing, {duplicates} twice",
        sent.len(),
        spans.len()
    );
}

/// Sends requests one after the other, and notes the trace of each.
fn send_for(duration: Duration, server: &Server, sent: &mut BTreeSet<String>) {
    let agent = agent();
    let started = Instant::now();
    while started.elapsed() < duration {
        let answer = agent
            .get(format!("{}/api/products", server.url))
            .header("x-tenant-id", TENANT)
            .call()
            .expect("an answer");
        let trace = answer.headers()["traceresponse"].to_str().expect("text");
        let id = trace.split('-').nth(1).expect("the id of the trace");
        sent.insert(id.to_owned());
        sleep(PAUSE);
    }
}

/// The traces of the service in Jaeger, their spans, and how many spans are there more than once.
fn arrived(stack: &Stack) -> Result<(BTreeSet<String>, BTreeSet<String>, usize), String> {
    let traces = jaeger_search(stack, "rustok-server", &[("limit", "100000")])
        .map_err(|error| error.to_string())?;
    let mut ids = BTreeSet::new();
    let mut spans: BTreeMap<String, usize> = BTreeMap::new();
    for trace in &traces {
        ids.insert(text(&trace["traceID"]));
        for span in trace["spans"].as_array().into_iter().flatten() {
            let process = &trace["processes"][text(&span["processID"])];
            if process["serviceName"] == "rustok-server" {
                *spans.entry(text(&span["spanID"])).or_default() += 1;
            }
        }
    }
    let duplicates = spans.values().filter(|&&times| times > 1).count();
    Ok((ids, spans.into_keys().collect(), duplicates))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
