//! A metric outside of a module with `#[metrics]` has the same rules, and its full name.

use rustok_telemetry::metrics;

/// Orders placed.
#[metrics::counter]
fn without_a_name();

/// Orders placed.
#[metrics::counter(name = "shop_orders")]
fn without_total(channel: &str);

#[metrics::gauge(name = "ShopWaiting")]
fn without_docs(orders: String);

/// Orders placed.
#[metrics::counter(name = "shop_orders_total")]
fn with_a_body(_channel: &str) {}

/// Orders placed.
#[metrics::counter(name = "shop_orders_total")]
struct Orders;

/// Orders placed.
#[metrics::counter(name = "shop_orders_total", crate = acme(), crate = acme, namespace = "shop")]
fn with_other_options();

/// Orders placed.
#[metrics::counter(name = "shop_orders_total")]
#[gauge(name = "shop_orders")]
fn of_two_kinds();

/// Orders placed.
#[metrics::counter(name =)]
fn without_a_value();

fn main() {
    without_total("web");
}
