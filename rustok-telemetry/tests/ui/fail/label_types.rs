//! The type of a label implements `LabelValue`.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    use rustok_telemetry::LabelValue;

    #[derive(LabelValue)]
    pub enum Channel {
        Web,
    }

    pub enum Underived {
        Web,
    }

    /// Orders.
    #[counter(name = "orders_total")]
    pub fn record_order(channel: Channel, kind: Underived);
}

fn main() {
    declared::record_order("web", declared::Underived::Web);
}
