//! A refused declaration still has its function: only the mistakes themselves are reported.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    #[counter(name = "Orders")]
    pub fn record_order(#[label(budget = 0)] shop: &str, #[label(name = "le")] kind: &str, orders: u64);

    /// Time spent waiting.
    #[histogram(name = "wait_seconds")]
    pub fn record_wait(queue: impl rustok_telemetry::metrics::LabelValue, seconds: f64);

    /// Without an attribute.
    pub fn look_up(shop: &str) -> u64;
}

fn main() {
    declared::record_order("north", "book", 3);
    declared::record_wait("orders", 0.5);
    let _found: u64 = declared::look_up("north");
}
