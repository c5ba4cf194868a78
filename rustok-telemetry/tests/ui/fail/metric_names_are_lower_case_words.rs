//! `[a-z][a-z0-9_]*`, no `__`, no `_` at the end.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Camel case.
    #[counter(name = "OrdersPlaced_total")]
    pub fn camel_case();

    /// Dots.
    #[gauge(name = "stock.level")]
    pub fn dots(stock: i64);

    /// Two underscores.
    #[gauge(name = "stock__level")]
    pub fn two_underscores(stock: i64);

    /// Ends in an underscore.
    #[gauge(name = "stock_")]
    pub fn ends_in_an_underscore(stock: i64);

    /// Begins with a digit.
    #[gauge(name = "9_lives")]
    pub fn begins_with_a_digit(stock: i64);

    /// Empty.
    #[gauge(name = "")]
    pub fn empty(stock: i64);

    /// None.
    #[gauge]
    pub fn none(stock: i64);
}

fn main() {}
