//! Each fault that `rustok-server` can be told to have makes its alert fire in the real Prometheus, and nothing but that
//! alert and what is known to follow; and when the fault ends, so do the alerts.
//!
//! The rules are the committed ones, with their durations divided by [`DIVISOR`]; thresholds are as they are.

mod alerts;
mod restart;
mod traffic;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use xtask::progress::Reporter;
use xtask::stack::{Port, Stack};

use crate::server::{Protocol, Server};
use crate::support::scratch;
use alerts::{Alerts, firing};
use traffic::Traffic;

/// Two minutes become four seconds, ten minutes twenty.
const DIVISOR: u32 = 30;
/// How long an alert may take to fire or to end. The longest `for:` takes 20 s, the queue takes a while to empty.
const LIMIT: Duration = Duration::from_secs(120);
/// How long nothing may fire before anything is broken.
const QUIET: Duration = Duration::from_secs(5);

/// A fault, and the alerts that it is known to bring.
struct Drill {
    fault: &'static str,
    /// These must fire.
    alerts: &'static [&'static str],
    /// These may, for as long as the fault's effects last.
    also: &'static [&'static str],
    /// Alerts on the budget of 30 days. They look hours and days back, so they may come after the fault has ended, and
    /// they stay for as long as their windows see it.
    burns: &'static [&'static str],
}

const AVAILABILITY: &[&str] = &["HttpAvailabilityFastBurn", "HttpAvailabilitySlowBurn"];
const LATENCY: &[&str] = &["HttpLatencyFastBurn", "HttpLatencySlowBurn"];

/// Those that touch no budget come first, when no alert on a budget is allowed at all. The pages of `errors` end while the
/// others go on.
const DRILLS: [Drill; 7] = [
    Drill {
        fault: "slow-database",
        alerts: &["SlowDatabaseQueries"],
        also: &[],
        burns: &[],
    },
    // With room for 10,500 events: a queue with room for 10,000 never has more.
    Drill {
        fault: "full-queue",
        alerts: &["HighEventQueueDepth", "CriticalEventQueueDepth"],
        also: &[],
        burns: &[],
    },
    Drill {
        fault: "cold-cache",
        alerts: &["LowCacheHitRate"],
        also: &[],
        burns: &[],
    },
    // One request of five asks the inventory, and fails without it.
    Drill {
        fault: "open-breaker",
        alerts: &["CircuitBreakerOpen"],
        also: &["HighErrorRate"],
        burns: AVAILABILITY,
    },
    Drill {
        fault: "errors",
        alerts: &["HighErrorRate"],
        also: &[],
        burns: AVAILABILITY,
    },
    Drill {
        fault: "latency",
        alerts: &["SlowRequestLatency"],
        also: &[],
        burns: LATENCY,
    },
    Drill {
        fault: "stop",
        alerts: &["ServiceDown"],
        also: &[],
        burns: &[],
    },
];

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn each_fault_fires_its_alert_and_no_other_and_it_ends() {
    let began = Instant::now();
    let stack = Stack::builder()
        .run_dir(scratch("faults").join("stack"))
        .free_ports()
        .scrape_interval(Duration::from_secs(1))
        .shorten_rules(DIVISOR)
        .reporter(Reporter::stderr())
        .up()
        .expect("the stack starts");
    let folder = scratch("faults_server");
    let mut server = start(&stack, &folder, "one");
    server.is_scraped_by(&stack);
    let traffic = Traffic::start(&server);

    let none = BTreeSet::new();
    let mut alerts = Alerts::new(&stack);
    alerts.wait_until(LIMIT, |firing| firing.is_empty());
    alerts.forget();
    alerts.hold(QUIET);
    alerts.assert_known("before any drill", &none);

    println!(
        "{:<14}{:<50}{:>9}{:>10}   also fired",
        "fault", "alerts", "firing", "resolved"
    );
    let mut burning = BTreeSet::new();
    for drill in &DRILLS {
        burning.extend(drill.burns);
        server = run(drill, &mut alerts, &burning, server, &stack, &folder);
    }
    alerts.forget();
    // A page ends once half an hour without failures has passed, which is a minute here.
    let paged = |firing: &BTreeSet<String>| firing.iter().any(|name| name.ends_with("FastBurn"));
    alerts.wait_until(LIMIT, |firing| !paged(firing));
    alerts.assert_known("after all drills", &burning);
    let left = firing(&stack).expect("Prometheus answers");
    println!(
        "all of it took {} s; alerts that look hours back and still fire: {}",
        began.elapsed().as_secs(),
        left.len()
    );
    traffic.stop();
    let (status, _) = server.stop();
    assert!(status.success(), "{status}");
}

fn run(
    drill: &Drill,
    alerts: &mut Alerts<'_>,
    burning: &BTreeSet<&str>,
    mut server: Server,
    stack: &Stack,
    folder: &Path,
) -> Server {
    let known: BTreeSet<&str> = [drill.alerts, drill.also]
        .concat()
        .into_iter()
        .chain(burning.iter().copied())
        .collect();
    alerts.forget();
    let path = format!("/drills/{}", drill.fault);
    let (status, answer) = server.request("PUT", &path, None, &[]);
    assert!(status == 200 || status == 202, "{status}: {answer}");
    let fired = drill
        .alerts
        .iter()
        .map(|alert| {
            let within = alerts.wait_for(LIMIT, alert);
            format!("{:.0}", within.as_secs_f64())
        })
        .collect::<Vec<_>>()
        .join("/");

    if drill.fault == "stop" {
        let (status, _) = server.stop();
        assert!(status.success(), "{status}");
        server = start(stack, folder, "one");
    } else {
        let (status, answer) = server.request("DELETE", &path, None, &[]);
        assert_eq!(status, 200, "{answer}");
    }
    let resolved = alerts.wait_until(LIMIT, |firing| {
        firing.iter().all(|name| burning.contains(name.as_str()))
    });
    let others: Vec<_> = alerts
        .seen()
        .filter(|name| !drill.alerts.contains(name))
        .collect();
    println!(
        "{:<14}{:<50}{:>7} s{:>8.0} s   {}",
        drill.fault,
        drill.alerts.join(", "),
        fired,
        resolved.as_secs_f64(),
        others.join(", ")
    );
    alerts.assert_known(drill.fault, &known);
    server
}

/// The service where Prometheus looks for it, with a cache that stays warm and a queue that is larger than its alerts'
/// limits. It keeps a tenth of the traces: emptying the queue makes more spans than a debug build can send.
fn start(stack: &Stack, folder: &Path, instance: &str) -> Server {
    let port = stack.ports().get(Port::Application).to_string();
    let arguments = [
        "--drills",
        "--port",
        &port,
        "--tenant-cache-ttl",
        "3600",
        "--event-queue-capacity",
        "10500",
    ];
    let variables = [
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
        // Each failed request is a line.
        ("RUST_LOG", "off"),
    ];
    Server::start(
        stack,
        folder,
        instance,
        Protocol::Grpc,
        &arguments,
        &variables,
    )
}
