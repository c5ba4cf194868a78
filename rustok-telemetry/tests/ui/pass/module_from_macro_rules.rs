//! Declarations may come from `macro_rules!`.

macro_rules! declare {
    ($module:ident, $subsystem:literal, $name:literal, $value:ty, $boundaries:expr, $hook:path) => {
        #[rustok_telemetry::metrics(namespace = "shop", subsystem = $subsystem)]
        mod $module {
            /// Time spent waiting.
            #[histogram(name = $name, boundaries = $boundaries, also = $hook)]
            pub fn record(#[label(budget = 5)] queue: &str, value: $value);
        }
    };
}

declare!(waiting, "waiting", "wait_seconds", f64, [0.1, 1.0], super::hook);

fn hook(_queue: &str, _value: f64) {}

fn main() {
    waiting::record("orders", 0.2);
}
