//! Metrics that this service declares itself, next to those that every service has.
//!
//! They are declared with the same macro as the built-in ones. Their functions are used the
//! same way, and they are in the same catalogue, so the documentation and the checks of
//! dashboards know them.

pub use catalogue::{record_order, record_order_value, time_order_duration, update_products};
pub use drills::update_drill;

#[rustok_telemetry::metrics(namespace = "rustok_server", subsystem = "catalogue")]
mod catalogue {
    use rustok_telemetry::metrics::FAST_SECONDS;

    /// Products that a tenant has.
    #[gauge(name = "products")]
    pub fn update_products(#[label(budget = 500)] tenant_id: &str, products: i64);

    /// Orders placed.
    #[counter(name = "orders_total")]
    pub fn record_order(#[label(budget = 500)] tenant_id: &str);

    /// Duration of placing an order, whatever its outcome.
    #[histogram(name = "order_duration_seconds", boundaries = FAST_SECONDS)]
    pub fn record_order_duration(seconds: f64);

    /// What the placed orders are worth, in cents.
    #[counter(name = "order_value_cents_total")]
    pub fn record_order_value(#[label(budget = 500)] tenant_id: &str, cents: u64);
}

#[rustok_telemetry::metrics(namespace = "rustok_server", subsystem = "drills")]
mod drills {
    /// Whether a fault is on because of a drill: 1, and 0 after it.
    #[gauge(name = "active")]
    pub fn update_drill(#[label(budget = 10)] fault: &str, active: i64);
}
