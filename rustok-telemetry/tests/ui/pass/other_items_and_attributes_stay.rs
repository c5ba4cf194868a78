//! What is no declaration passes through, and so do a function's other attributes.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    //! Docs of the module itself.

    use std::time::Duration;

    const BOUNDARIES: &[f64] = &[0.1, 1.0];

    /// Time spent waiting.
    #[histogram(name = "wait_seconds", boundaries = BOUNDARIES)]
    fn record_seconds(queue: &str, seconds: f64);

    /// Takes the time as a `Duration`.
    pub fn record_wait(queue: &str, time: Duration) {
        record_seconds(queue, time.as_secs_f64());
    }

    /// Requests. Two declarations share a name, but never a build.
    #[cfg(target_pointer_width = "64")]
    #[counter(name = "requests_total")]
    pub fn record_request(path: &str);

    /// Requests. Two declarations share a name, but never a build.
    #[cfg(not(target_pointer_width = "64"))]
    #[counter(name = "requests_total")]
    pub fn record_request(path: &str);

    /// Old requests.
    #[deprecated(note = "nobody asks")]
    #[counter(name = "old_requests_by_endpoint", without_total)]
    pub fn record_old_request(path: &str);

    pub mod inner {
        pub struct Unchanged;
    }
}

#[deny(warnings)]
fn main() {
    let _unchanged = declared::inner::Unchanged;
    declared::record_wait("orders", std::time::Duration::from_millis(20));
    declared::record_request("/");
    #[expect(deprecated)]
    declared::record_old_request("/");
}
