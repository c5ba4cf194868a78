//! The unit is in the name, and the name's unit is the unit.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Says seconds, means milliseconds.
    #[histogram(name = "wait_seconds", unit = "ms", boundaries = [0.1])]
    pub fn milliseconds(value: f64);

    /// Says seconds, means bytes.
    #[counter(name = "cpu_seconds_total", unit = "By")]
    pub fn bytes(value: f64);

    /// Says bytes, means nothing.
    #[gauge(name = "memory_bytes", unit = "")]
    pub fn nothing(value: u64);

    /// Means seconds, does not say so.
    #[gauge(name = "uptime", unit = "s")]
    pub fn silent_seconds(value: f64);

    /// Means bytes, does not say so.
    #[gauge(name = "memory", unit = "By")]
    pub fn silent_bytes(value: u64);

    /// No unit at all.
    #[gauge(name = "speed", unit = "miles per hour")]
    pub fn no_unit(value: u64);
}

fn main() {}
