//! The attribute needs a module, since a function without a body is no Rust elsewhere.

#[rustok_telemetry::metrics(namespace = "shop")]
fn record_order() {}

fn main() {}
