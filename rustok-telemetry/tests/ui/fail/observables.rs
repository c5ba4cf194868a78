//! An observable has a function that reports its values, and a return type that says theirs.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Without a return type.
    #[observable_gauge(name = "a", observe = super::observe)]
    fn without_a_return_type(cache: &str);

    /// Without a function.
    #[observable_gauge(name = "b")]
    fn without_a_function(cache: &str) -> f64;

    /// With a value.
    #[observable_gauge(name = "c", observe = super::observe)]
    fn with_a_value(cache: &str, rate: f64) -> f64;

    /// Of another type.
    #[observable_counter(name = "d_total", observe = super::observe)]
    fn of_another_type(cache: &str) -> i64;

    /// With a function that is called after recording.
    #[observable_gauge(name = "e", observe = super::observe, also = super::observe)]
    fn with_also(cache: &str) -> f64;

    /// Not an observable.
    #[gauge(name = "f", observe = super::observe)]
    pub fn no_observable(cache: &str, rate: f64);

    /// With a closure.
    #[observable_gauge(name = "g", observe = |_| ())]
    fn with_a_closure(cache: &str) -> f64;

    /// With a label that is no text.
    #[observable_gauge(name = "h", observe = super::observe)]
    fn with_another_label(cache: impl rustok_telemetry::metrics::LabelValue) -> f64;
}

fn observe(_: &mut dyn FnMut([&str; 1], f64)) {}

fn main() {}
