//! `also = path` is called with the labels as `&str`, and the value when there is one, if the record was taken.

#[rustok_telemetry::metrics(namespace = "shop", subsystem = "also")]
mod declared {
    /// Cache operations.
    #[counter(name = "operations_total", also = super::hooks::operation)]
    pub fn record_operation(cache: impl rustok_telemetry::metrics::LabelValue, result: &str);

    /// Time spent waiting.
    #[histogram(name = "wait_seconds", boundaries = [0.1, 1.0], also = super::hooks::wait)]
    pub fn record_wait(queue: &str, seconds: f64);
}

mod hooks {
    use std::sync::Mutex;

    pub static CALLS: Mutex<Vec<String>> = Mutex::new(Vec::new());

    pub fn operation(cache: &str, result: &str) {
        call(format!("{cache} {result}"));
    }

    pub fn wait(queue: &str, seconds: f64) {
        call(format!("{queue} {seconds}"));
    }

    fn call(text: String) {
        CALLS.lock().expect("no call panics").push(text);
    }
}

fn main() {
    declared::record_operation("too early", "hit");
    let exporters = [("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "none")];
    let config = rustok_telemetry::config::TelemetryConfig::from_vars(exporters).expect("it is valid");
    let telemetry = rustok_telemetry::builder().config(config).init().expect("telemetry starts");
    declared::record_operation("products", "hit");
    declared::record_wait("orders", 0.5);
    declared::record_wait("not a number", f64::NAN);
    let _ = telemetry.shutdown();
    let calls = hooks::CALLS.lock().expect("no call panics");
    assert_eq!(*calls, ["products hit", "orders 0.5"]);
}
