//! Options that depend on the type of panel.

use serde_json::{Value, json};

use crate::dashboards::panel::{Look, Panel, Unit};

/// `options` of a panel.
pub(super) fn options(panel: &Panel) -> Value {
    match panel.look {
        Look::Stat => json!({
            "colorMode": "value",
            "graphMode": if panel.words.is_empty() { "area" } else { "none" },
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": last_value(),
            "showPercentChange": false,
            "textMode": "value_and_name",
            "wideLayout": true,
        }),
        Look::TimeSeries => json!({
            "legend": {
                "calcs": ["lastNotNull"],
                // A table would take more room than the graph.
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": true,
            },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Look::Heatmap => json!({
            // Uses the buckets of the metric.
            "calculate": false,
            "cellGap": 1,
            "cellValues": { "unit": "short" },
            "color": {
                "exponent": 0.5,
                "fill": "dark-orange",
                "mode": "scheme",
                "reverse": false,
                "scale": "exponential",
                "scheme": "Oranges",
                "steps": 64,
            },
            "exemplars": { "color": "rgba(255,0,255,0.7)" },
            "filterValues": { "le": 1e-9 },
            "legend": { "show": true },
            "rowsFrame": { "layout": "auto", "value": "Requests" },
            "showValue": "never",
            "tooltip": { "mode": "single", "showColorScale": true, "yHistogram": true },
            "yAxis": { "axisPlacement": "left", "reverse": false, "unit": panel.unit.id() },
        }),
        Look::BarGauge => json!({
            "displayMode": "gradient",
            "legend": {
                "calcs": [],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": false,
            },
            "maxVizHeight": 300,
            "minVizHeight": 16,
            "minVizWidth": 8,
            // On the left, long names are cut off.
            "namePlacement": "top",
            "orientation": "horizontal",
            "reduceOptions": last_value(),
            "showUnfilled": true,
            "sizing": "auto",
            // Else the text of ten bars is too small to read.
            "text": { "titleSize": 13, "valueSize": 13 },
            "valueMode": "color",
        }),
        Look::PieChart => json!({
            "displayLabels": ["percent"],
            "legend": {
                "calcs": [],
                "displayMode": "table",
                "placement": "right",
                "showLegend": true,
                "values": ["value", "percent"],
            },
            "orientation": "auto",
            "pieType": "donut",
            "reduceOptions": last_value(),
            "tooltip": { "mode": "single", "sort": "none" },
        }),
    }
}

/// `fieldConfig.defaults.custom` of a panel.
pub(super) fn custom(panel: &Panel) -> Value {
    if panel.look != Look::TimeSeries {
        return Value::Null;
    }
    let has_lines = !panel.lines.is_empty() || !panel.steps.is_empty();
    json!({
        // The axis of a share that is zero would go to 10,000 %.
        "axisSoftMax": (panel.unit == Unit::Share).then_some(0.01),
        "drawStyle": "line",
        "fillOpacity": if panel.stacked { 30 } else { 10 },
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "showPoints": "auto",
        // Does not connect points across missing samples.
        "spanNulls": false,
        "stacking": { "group": "A", "mode": if panel.stacked { "normal" } else { "none" } },
        "thresholdsStyle": { "mode": if has_lines { "dashed" } else { "off" } },
    })
}

/// Reduces each series to its last value.
fn last_value() -> Value {
    json!({ "calcs": ["lastNotNull"], "fields": "", "values": false })
}
