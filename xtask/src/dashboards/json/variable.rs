//! Variables.

use serde_json::{Value, json};

use super::data_source;
use crate::dashboards::variable::{Source, Variable};

/// Grafana's constants for when a variable's values are reloaded.
const ON_LOAD: u8 = 1;
const ON_TIME_RANGE: u8 = 2;

pub(super) fn json(variable: &Variable) -> Value {
    let mut json = match &variable.source {
        Source::Plugin { plugin, uid } => json!({
            "type": "datasource",
            "query": plugin,
            "current": { "text": uid, "value": uid },
            "refresh": ON_LOAD,
            "includeAll": false,
            "multi": false,
        }),
        Source::Label { series, label } => {
            let query = format!("label_values({}, {label})", series.text());
            json!({
                "type": "query",
                "datasource": data_source(),
                "definition": query,
                // 1: values of a label.
                "query": { "qryType": 1, "query": query, "refId": "Variable" },
                "current": { "text": ["All"], "value": ["$__all"] },
                "refresh": ON_TIME_RANGE,
                // 1: alphabetical, ascending.
                "sort": 1,
                "multi": true,
                "includeAll": true,
                // Without it, Grafana lists all values in every query.
                "allValue": ".+",
            })
        }
    };
    json["name"] = variable.name.into();
    json["label"] = variable.title.into();
    json
}
