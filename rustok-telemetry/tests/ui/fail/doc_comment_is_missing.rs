//! The doc comment is the help text.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    #[counter(name = "orders_total")]
    pub fn without_a_comment(shop: &str);

    ///
    #[gauge(name = "stock")]
    pub fn with_an_empty_comment(shop: &str, stock: i64);

    #[doc = include_str!("doc_comment_is_missing.rs")]
    #[gauge(name = "price")]
    pub fn with_a_file(shop: &str, price: f64);
}

fn main() {}
