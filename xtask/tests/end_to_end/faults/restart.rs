//! An instance that is gone raises no alert of state, whether it was stopped or killed.

use std::time::Duration;

use xtask::progress::Reporter;
use xtask::stack::Stack;
use xtask::stack::query::prometheus_query;

use super::alerts::Alerts;
use super::traffic::Traffic;
use super::{DIVISOR, LIMIT, start};
use crate::server::Server;
use crate::support::{eventually, scratch};

const ALERT: &str = "CircuitBreakerOpen";
/// Two scrapes and two evaluations, and time for the last export.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// Many times as long as the alert takes to fire.
const SILENT_FOR: Duration = Duration::from_secs(15);

/// By SIGTERM its last export ends the series. By SIGKILL the Collector goes on showing them.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn a_restart_ends_the_alert_of_the_old_instance() {
    let stack = Stack::builder()
        .run_dir(scratch("restart").join("stack"))
        .free_ports()
        .scrape_interval(Duration::from_secs(1))
        .shorten_rules(DIVISOR)
        .reporter(Reporter::stderr())
        .up()
        .expect("the stack starts");
    let folder = scratch("restart_server");
    let server = start(&stack, &folder, "one");
    server.is_scraped_by(&stack);
    // Each instance has a database of its own, so each gets a product and clients of its own.
    let traffic = Traffic::start(&server);
    open_the_breaker(&stack, &server);
    traffic.stop();
    let (status, _) = server.stop();
    assert!(status.success(), "{status}");

    let server = start(&stack, &folder, "two");
    nothing_fires_of(&stack, "one");
    assert_eq!(
        breakers_shown_open(&stack, "one"),
        0,
        "the series has ended"
    );

    let traffic = Traffic::start(&server);
    open_the_breaker(&stack, &server);
    traffic.stop();
    server.kill();

    let server = start(&stack, &folder, "three");
    nothing_fires_of(&stack, "two");
    assert_eq!(
        breakers_shown_open(&stack, "two"),
        1,
        "the Collector keeps it"
    );

    // What is open in the new instance fires all the same.
    let traffic = Traffic::start(&server);
    open_the_breaker(&stack, &server);
    traffic.stop();
}

/// Waits for the alert, on which the value of the gauge has arrived.
fn open_the_breaker(stack: &Stack, server: &Server) {
    let (status, answer) = server.request("PUT", "/drills/open-breaker", None, &[]);
    assert!(status == 200 || status == 202, "{status}: {answer}");
    Alerts::new(stack).wait_for(LIMIT, ALERT);
    assert_eq!(breakers_shown_open(stack, &server.instance), 1);
}

/// Waits for the alert to end, and watches that it does not come back.
fn nothing_fires_of(stack: &Stack, instance: &str) {
    let mut alerts = Alerts::new(stack);
    alerts.wait_until(ENDS_WITHIN, |firing| !firing.contains(ALERT));
    alerts.forget();
    alerts.hold(SILENT_FOR);
    assert!(
        alerts.seen().all(|alert| alert != ALERT),
        "fires of {instance}, which is gone"
    );
}

fn breakers_shown_open(stack: &Stack, instance: &str) -> usize {
    let query = format!("rustok_circuit_breaker_state{{instance=\"{instance}\"}} == 1");
    eventually(Duration::from_secs(10), || {
        prometheus_query(stack, &query).map_err(|error| error.to_string())
    })
    .len()
}
