//! A label may have another name than its parameter, another budget, and another type than `&str`.

use rustok_telemetry::metrics::LabelValue;

enum Route {
    Checkout,
}

impl LabelValue for Route {
    fn as_label(&self) -> &str {
        match self {
            Self::Checkout => "/checkout",
        }
    }
}

#[rustok_telemetry::metrics(namespace = "shop", subsystem = "labels")]
mod declared {
    use rustok_telemetry::metrics::LabelValue;

    /// Requests by route.
    #[counter(name = "requests_total")]
    pub fn record_request(
        #[label(name = "path", budget = 20)] route: impl LabelValue,
        #[label(budget = 5)] r#type: &str,
        tenant_id: &'static str,
        #[label] region: &str,
    );
}

fn main() {
    declared::record_request(Route::Checkout, "web", "acme", "eu");
    declared::record_request("/", "web", "acme", "eu");
}
