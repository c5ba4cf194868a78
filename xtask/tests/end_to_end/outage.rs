//! Jaeger crashes and stays away, and the Collector is restarted meanwhile: every span arrives afterwards.
//!
//! For as long as `RUSTOK_OUTAGE_SECONDS` says; 20 s unless set.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::progress::Reporter;
use xtask::stack::process::Stopped;
use xtask::stack::query::{jaeger_search, jaeger_services};
use xtask::stack::{Port, Service, Stack};

use crate::exposition::parse;
use crate::server::{Protocol, Server, TENANT, agent};
use crate::support::{eventually, scratch, stack};

/// How long the Collector stays away.
const COLLECTOR_AWAY: Duration = Duration::from_secs(8);
/// Between two requests.
const PAUSE: Duration = Duration::from_millis(40);

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn spans_survive_a_jaeger_outage_and_a_collector_restart() {
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
    let mut delivered = 0.0;

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
        delivered += delivered_by(&stack);
        assert_eq!(stack.stop_one(Service::Collector), Stopped::Gracefully);
        // Longer than an export with its quick retries takes.
        sleep(COLLECTOR_AWAY);
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
        let family = family.unwrap_or_else(|| panic!("no {name} in {text}"));
        family.samples.values().sum()
    };
    let created = sum("rustok_spans_created_total");
    assert_eq!(sum("rustok_telemetry_spans_lost_total"), 0.0, "{text}");
    let arrived = eventually(Duration::from_secs(120), || {
        let arrived = arrived(&stack)?;
        let missing = sent.difference(&arrived.traces).count();
        if missing > 0 || (arrived.spans.len() as f64) < created {
            return Err(format!(
                "{missing} of {} traces are missing; {} of {created} spans",
                sent.len(),
                arrived.spans.len()
            ));
        }
        Ok(arrived)
    });
    assert_eq!(arrived.spans.len() as f64, created);
    // Jaeger keeps a span once, however often it is sent.
    delivered += delivered_by(&stack);
    let again = delivered - (arrived.spans.len() + arrived.of_others) as f64;
    assert!(again >= 0.0, "{delivered} spans were delivered");
    println!(
        "Jaeger was away for {outage} s: {} traces, {} spans, none missing; {again} were sent again",
        sent.len(),
        arrived.spans.len()
    );
}

/// How many spans the running Collector has handed to Jaeger.
fn delivered_by(stack: &Stack) -> f64 {
    let url = stack.ports().url(Port::CollectorSelfMetrics);
    let mut answer = agent()
        .get(format!("{url}/metrics"))
        .call()
        .expect("an answer");
    let text = answer.body_mut().read_to_string().expect("text");
    let metrics = parse(&text);
    let sent = metrics.get("otelcol_exporter_sent_spans_total");
    let sent = sent.unwrap_or_else(|| panic!("no counter of what was sent: {text}"));
    let to_jaeger = sent.samples.iter().filter(|(series, _)| {
        let exporter = series.labels.get("exporter");
        exporter.is_some_and(|exporter| exporter == "otlp_grpc/jaeger")
    });
    to_jaeger.map(|(_, value)| value).sum()
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

/// What is in Jaeger.
struct Arrived {
    /// Ids of traces.
    traces: BTreeSet<String>,
    /// Ids of the service's spans.
    spans: BTreeSet<String>,
    /// How many spans of other services there are.
    of_others: usize,
}

fn arrived(stack: &Stack) -> Result<Arrived, String> {
    let mut traces = BTreeSet::new();
    let mut spans = BTreeSet::new();
    for service in jaeger_services(stack).map_err(|error| error.to_string())? {
        let found = jaeger_search(stack, &service, &[("limit", "100000")]);
        for trace in found.map_err(|error| error.to_string())? {
            traces.insert(text(&trace["traceID"]));
            for span in trace["spans"].as_array().into_iter().flatten() {
                let process = &trace["processes"][text(&span["processID"])];
                spans.insert((text(&process["serviceName"]), text(&span["spanID"])));
            }
        }
    }
    let all = spans.len();
    let ours = spans
        .into_iter()
        .filter(|(name, _)| name == "rustok-server");
    let spans: BTreeSet<_> = ours.map(|(_, id)| id).collect();
    let of_others = all - spans.len();
    Ok(Arrived {
        traces,
        spans,
        of_others,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
