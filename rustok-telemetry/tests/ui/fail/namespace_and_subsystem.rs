//! What the attribute on the module takes. What is wrong inside is reported all the same.

#[rustok_telemetry::metrics]
mod missing {
    #[counter(name = "orders")]
    pub fn record_order();
}

#[rustok_telemetry::metrics()]
mod still_missing {}

#[rustok_telemetry::metrics(namespace = "")]
mod empty {}

#[rustok_telemetry::metrics(namespace = "Shop", subsystem = "event-bus")]
mod misspelled {}

#[rustok_telemetry::metrics(namespace = "shop", subsytem = "basket")]
mod unknown {}

#[rustok_telemetry::metrics(namespace = shop)]
mod not_text {}

#[rustok_telemetry::metrics("shop")]
mod not_options {}

fn main() {}
