//! What a label says that is given something else than a label value.

use rustok_telemetry::metrics::{LabelValue, counter};

enum Channel {
    Web,
}

/// Orders by channel.
#[counter(name = "shop_orders_total")]
fn record_order(#[label(budget = 2)] channel: impl LabelValue);

fn main() {
    record_order(Channel::Web);
}
