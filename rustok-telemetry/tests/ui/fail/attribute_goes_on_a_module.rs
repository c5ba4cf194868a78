//! The attribute needs a module. A function alone has the attribute of its kind.

#[rustok_telemetry::metrics(namespace = "shop")]
fn record_order() {}

fn main() {}
