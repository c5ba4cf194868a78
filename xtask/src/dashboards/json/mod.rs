//! The dashboards in Grafana's JSON.
//!
//! Every field is in Grafana's published schema: `tests/dashboards/schema.rs` decodes the files with Grafana's types,
//! which reject unknown fields.

mod options;
mod panel;
mod variable;

use serde_json::{Value, json};

use super::dashboard::{Dashboard, Item};
use super::layout;

/// The newest version of the schema that Grafana 13 writes; it migrates older ones when it loads them.
const SCHEMA_VERSION: u32 = 42;
/// The tag of these dashboards. They link to all dashboards with it.
const TAG: &str = "rustok";

/// Returns the file of a dashboard.
pub(super) fn text(dashboard: &Dashboard) -> String {
    let places = layout::places(&dashboard.items);
    let panels: Vec<_> = dashboard
        .items
        .iter()
        .zip(places)
        .map(|(item, place)| match item {
            Item::Row { id, title } => panel::row(*id, title, place),
            Item::Panel(panel) => panel::json(panel, place),
        })
        .collect();
    let variables: Vec<_> = dashboard.variables.iter().map(variable::json).collect();
    let value = json!({
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "editable": true,
        // 1: shared crosshair.
        "graphTooltip": 1,
        "timezone": "browser",
        "time": { "from": dashboard.from, "to": "now" },
        "refresh": dashboard.refresh,
        "links": [others()],
        "annotations": { "list": [deployments(dashboard)] },
        "templating": { "list": variables },
        "panels": panels,
    });
    format!("{value:#}\n")
}

/// Links to the other dashboards, which keep the variables and the time range.
fn others() -> Value {
    json!({
        "type": "dashboards",
        "title": "RusToK dashboards",
        "tags": [TAG],
        "asDropdown": false,
        "icon": "external link",
        "includeVars": true,
        "keepTime": true,
        "targetBlank": false,
        "tooltip": "",
    })
}

fn deployments(dashboard: &Dashboard) -> Value {
    json!({
        "name": "Deployments",
        "datasource": data_source(),
        "enable": true,
        "hide": false,
        "iconColor": "blue",
        "expr": dashboard.deployments().text(),
        "step": "60s",
        "titleFormat": "{{job}} {{service_version}}",
        "textFormat": "A version that did not run before.",
        "tagKeys": "job,service_version",
    })
}

/// The Prometheus data source that the variable selects.
fn data_source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}
