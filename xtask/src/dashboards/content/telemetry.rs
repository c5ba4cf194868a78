//! The health of the telemetry itself: the SDK in each application, the Collector, and the scrapes.

mod collector;
mod scrapes;
mod sdk;

use super::super::dashboard::{Dashboard, Item};
use crate::dashboards::query::Scope;
use crate::dashboards::variable::{METRICS, TRACES, instance, job};

const EXPORTS: &str = "rustok_telemetry_exports_total";
/// For the metrics of applications alone: the variables list applications.
const APPLICATIONS: Scope = Scope::of(&[("job", "job"), ("instance", "instance")]);

pub(crate) fn dashboard() -> Dashboard {
    let mut items = vec![Item::row(
        100,
        "SDK: what each application could not hand over",
    )];
    items.extend(sdk::panels().map(Item::from));
    items.push(Item::row(200, "Collector"));
    items.extend(collector::panels().map(Item::from));
    items.push(Item::row(300, "Prometheus"));
    items.extend(scrapes::panels().map(Item::from));
    Dashboard {
        path: "grafana/dashboards/rustok-telemetry.json",
        uid: "rustok-telemetry",
        title: "RusToK Telemetry",
        description: "Can the other dashboards be trusted? What the SDK, the Collector and Prometheus lost or refused.",
        from: "now-1h",
        refresh: "30s",
        variables: vec![METRICS, TRACES, job(EXPORTS), instance(EXPORTS)],
        items,
    }
}
