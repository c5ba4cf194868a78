//! A histogram has boundaries, and nothing else does.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Without.
    #[histogram(name = "wait_seconds")]
    pub fn without(seconds: f64);

    /// Without a value.
    #[histogram(name = "delay_seconds", boundaries)]
    pub fn without_a_value(seconds: f64);

    /// On a counter.
    #[counter(name = "orders_total", boundaries = [0.1, 1.0])]
    pub fn on_a_counter();
}

fn main() {}
