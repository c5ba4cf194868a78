//! `also` and `observe` name functions that fit the declaration.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Called without the value.
    #[gauge(name = "depth", also = super::called)]
    pub fn update_depth(queue: &str, depth: i64);

    /// Reported with two labels instead of one.
    #[observable_gauge(name = "rate", observe = super::report)]
    fn rate(cache: &str) -> f64;

    /// Nowhere to be found.
    #[counter(name = "lost_total", also = super::lost)]
    pub fn record_lost();
}

fn called(_queue: &str) {}

fn report(observe: &mut dyn FnMut([&str; 2], f64)) {
    observe(["products", "acme"], 0.5);
}

fn main() {}
