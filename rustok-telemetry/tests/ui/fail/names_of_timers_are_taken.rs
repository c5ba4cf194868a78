//! A histogram of seconds has a function that starts a timer, and no other function has its name.

#[rustok_telemetry::metrics(namespace = "shop", subsystem = "orders")]
mod declared {
    /// Time spent waiting.
    #[histogram(name = "wait_seconds", boundaries = [0.1, 1.0])]
    pub fn record_wait(queue: &str, seconds: f64);

    /// Time spent waiting, all in all.
    #[histogram(name = "whole_wait_seconds", boundaries = [0.1, 1.0])]
    pub fn wait(seconds: f64);

    /// Time spent packing.
    #[histogram(name = "packing_seconds", boundaries = [0.1, 1.0])]
    pub fn record_packing(seconds: f64);

    pub fn time_packing() {}

    /// Parcels, which have no timer.
    #[histogram(name = "parcel_bytes", boundaries = [1_000.0])]
    pub fn record_parcel(bytes: f64);

    pub fn time_parcel() {}

    /// Time on the road, which is refused.
    #[histogram(name = "road_seconds")]
    pub fn record_road(city: &str, seconds: f64);
}

fn main() {
    declared::time_wait("orders").discard();
    declared::time_parcel();
    // Only the mistake itself is reported.
    declared::time_road("Riga").discard();
}
