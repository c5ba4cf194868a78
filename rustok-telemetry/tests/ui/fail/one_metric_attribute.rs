//! A function without a body has one metric attribute, and a function with a body has none.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Two.
    #[counter(name = "orders_total")]
    #[gauge(name = "orders")]
    pub fn two();

    /// None.
    pub fn none(shop: &str);

    /// Misspelled.
    #[conter(name = "baskets_total")]
    pub fn misspelled(shop: &str);

    /// With a body.
    #[counter(name = "bodies_total")]
    pub fn with_a_body(#[label(budget = 3)] shop: &str) {
        println!("{shop}");
    }
}

fn main() {}
