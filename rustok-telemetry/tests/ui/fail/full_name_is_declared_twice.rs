//! One metric has one declaration.

#[rustok_telemetry::metrics(namespace = "shop", subsystem = "orders")]
mod declared {
    /// Orders placed.
    #[counter(name = "placed_total")]
    pub fn record_placed();

    /// Orders placed, by shop.
    #[counter(name = "placed_total")]
    pub fn record_placed_by_shop(shop: &str);

    /// Orders placed on this system.
    #[cfg(unix)]
    #[counter(name = "placed_total")]
    pub fn record_placed_on_unix();
}

fn main() {}
