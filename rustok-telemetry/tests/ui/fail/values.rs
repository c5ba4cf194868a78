//! One value, last, of a type that the kind takes.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// A gauge without one.
    #[gauge(name = "stock")]
    pub fn gauge_without(shop: &str);

    /// An up-down counter without one.
    #[up_down_counter(name = "open")]
    pub fn up_down_counter_without(shop: &str);

    /// A histogram without one.
    #[histogram(name = "wait_seconds", boundaries = [0.1])]
    pub fn histogram_without(shop: &str);

    /// Several.
    #[gauge(name = "size")]
    pub fn several(width: i64, height: i64);

    /// Not the last.
    #[gauge(name = "depth")]
    pub fn not_the_last(depth: i64, queue: &str);

    /// A counter that falls.
    #[counter(name = "orders_total")]
    pub fn falling_counter(orders: i64);

    /// Too small a number.
    #[counter(name = "rows_total")]
    pub fn small_number(rows: u32);

    /// Too small a fraction.
    #[histogram(name = "delay_seconds", boundaries = [0.1])]
    pub fn small_fraction(seconds: f32);

    /// Without a sign.
    #[up_down_counter(name = "connections")]
    pub fn without_a_sign(change: usize);
}

fn main() {}
