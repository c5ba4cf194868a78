//! Metrics of the shop.

pub(super) use self::declared::record_order;

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Orders placed.
    #[counter(name = "orders_total")]
    pub(in super::super) fn record_order(payment: &str);
}
