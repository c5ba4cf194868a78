//! `_bucket`, `_count`, `_sum`, `_created` and `_info` belong to series that are made of another name.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Bucket.
    #[gauge(name = "wait_bucket")]
    pub fn bucket(value: i64);

    /// Count.
    #[counter(name = "wait_count", without_total)]
    pub fn count(value: u64);

    /// Sum.
    #[gauge(name = "wait_sum")]
    pub fn sum(value: i64);

    /// Created.
    #[gauge(name = "orders_created")]
    pub fn created(value: i64);

    /// Info.
    #[gauge(name = "build_info")]
    pub fn info(value: i64);
}

fn main() {}
