//! Boundaries are checked when they are known: while constants are evaluated.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    const FALLING: &[f64] = &[1.0, 0.1];

    /// Falling.
    #[histogram(name = "falling_seconds", boundaries = FALLING)]
    pub fn falling(seconds: f64);

    /// Repeated.
    #[histogram(name = "repeated_seconds", boundaries = [0.1, 0.1])]
    pub fn repeated(seconds: f64);

    /// Infinite.
    #[histogram(name = "infinite_seconds", boundaries = [0.1, f64::INFINITY])]
    pub fn infinite(seconds: f64);

    /// Empty.
    #[histogram(name = "empty_seconds", boundaries = [])]
    pub fn empty(seconds: f64);
}

fn main() {}
