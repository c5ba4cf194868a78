//! Every kind outside of a module with `#[metrics]`.
#![forbid(unsafe_code)]
#![deny(warnings, unreachable_pub, rust_2018_idioms)]

use rustok_telemetry::metrics;

/// Orders placed.
#[metrics::counter(name = "alone_orders_total")]
fn record_order(channel: &str, #[label(budget = 500)] tenant_id: &str);

/// Orders that wait.
#[rustok_telemetry::metrics::gauge(name = "alone_waiting")]
pub(crate) fn update_waiting(orders: i64);

/// Open connections.
#[metrics::up_down_counter(name = "alone_connections")]
fn add_connections(change: i64);

/// Time spent waiting.
#[metrics::histogram(name = "alone_wait_seconds", boundaries = metrics::FAST_SECONDS)]
fn record_wait(queue: impl metrics::LabelValue, seconds: f64);

/// Depth of the well.
#[metrics::observable_gauge(name = "alone_well_depth", observe = report_depth)]
fn well_depth() -> i64;

/// Drops that fell.
#[metrics::observable_counter(name = "alone_drops_total", observe = report_drops)]
fn drops() -> u64;

fn report_depth(observe: &mut dyn FnMut([&str; 0], i64)) {
    observe([], 3);
}

fn report_drops(observe: &mut dyn FnMut([&str; 0], u64)) {
    observe([], 3);
}

mod inner {
    use rustok_telemetry as telemetry;
    use telemetry::metrics::counter;

    /// Orders returned.
    #[counter(name = "alone_returned_total", crate = telemetry)]
    pub(super) fn record_returned();
}

fn main() {
    /// Made in a function.
    #[metrics::counter(name = "alone_local_total")]
    fn record_local();

    record_order("web", "acme");
    update_waiting(3);
    add_connections(-1);
    record_wait("orders", 0.5);
    time_wait("orders").stop();
    inner::record_returned();
    record_local();
    for name in ["orders_total", "waiting", "connections", "wait_seconds", "well_depth", "drops_total", "local_total"] {
        let name = format!("alone_{name}");
        assert!(metrics::catalogue().iter().any(|metric| metric.name == name), "{name}");
    }
}
