//! `_total` at the end says that a metric is a counter.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// A counter.
    #[counter(name = "orders")]
    pub fn counter();

    /// An observable counter.
    #[observable_counter(name = "orders_seen", observe = super::observe)]
    fn observable_counter() -> u64;

    /// A counter that does have it.
    #[counter(name = "orders_total", without_total)]
    pub fn counter_that_has_it();

    /// A gauge.
    #[gauge(name = "stock_total")]
    pub fn gauge(stock: i64);

    /// An up-down counter.
    #[up_down_counter(name = "open_total")]
    pub fn up_down_counter(change: i64);

    /// A histogram.
    #[histogram(name = "wait_total", boundaries = [0.1])]
    pub fn histogram(seconds: f64);

    /// An observable gauge.
    #[observable_gauge(name = "load_total", observe = super::observe)]
    fn observable_gauge() -> u64;

    /// Nothing but a gauge's total.
    #[gauge(name = "total")]
    pub fn nothing_but_total(stock: i64);
}

fn observe(_: &mut dyn FnMut([&str; 0], u64)) {}

fn main() {}
