//! The health of the telemetry itself: the SDK in each service, the Collector, and the scrapes.

mod collector;
mod scrapes;
mod sdk;

use super::super::dashboard::{Dashboard, Item};
use crate::dashboards::query::Scope;
use crate::dashboards::variable::{METRICS, TRACES, instance, job};

const EXPORTS: &str = "rustok_telemetry_exports_total";
/// The scope of services' metrics, which the variables select.
const APPLICATIONS: Scope = Scope::of(&[("job", "job"), ("instance", "instance")]);

pub(crate) fn dashboard() -> Dashboard {
    let mut items = vec![Item::row(100, "SDK: exports and dropped data")];
    items.extend(sdk::panels().map(Item::from));
    items.push(Item::row(200, "Collector"));
    items.extend(collector::panels().map(Item::from));
    items.push(Item::row(300, "Prometheus"));
    items.extend(scrapes::panels().map(Item::from));
    Dashboard {
        path: "grafana/dashboards/rustok-telemetry.json",
        uid: "rustok-telemetry",
        title: "RusToK Telemetry",
        description: "Whether the other dashboards are complete: data that the SDK, the Collector or Prometheus \
                      dropped or refused.",
        from: "now-1h",
        refresh: "30s",
        variables: vec![METRICS, TRACES, job(EXPORTS), instance(EXPORTS)],
        items,
    }
}
