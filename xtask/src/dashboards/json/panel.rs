//! Panels.

use serde_json::{Value, json};

use super::data_source;
use super::options::{custom, options};
use crate::dashboards::alert::{Fires, Severity};
use crate::dashboards::layout::Place;
use crate::dashboards::link::{Traces, of_series, runbook_url};
use crate::dashboards::panel::{Line, Look, Panel, Step};

/// A heading.
pub(super) fn row(id: u32, title: &str, place: Place) -> Value {
    json!({
        "type": "row",
        "id": id,
        "title": title,
        "collapsed": false,
        "gridPos": grid(place),
        "panels": [],
    })
}

pub(super) fn json(panel: &Panel, place: Place) -> Value {
    let queries = panel.queries.iter().zip('A'..).map(|(query, letter)| {
        json!({
            "refId": letter.to_string(),
            "datasource": data_source(),
            "editorMode": "code",
            "expr": query.expr.text(),
            "legendFormat": query.legend,
            "format": if panel.look == Look::Heatmap { "heatmap" } else { "time_series" },
            "range": !is_instant(panel.look),
            "instant": is_instant(panel.look),
            "exemplar": panel.exemplars,
        })
    });
    let mut json = json!({
        "type": plugin(panel.look),
        "id": panel.id,
        "title": panel.title,
        "description": panel.description,
        "datasource": data_source(),
        "gridPos": grid(place),
        "targets": queries.collect::<Vec<_>>(),
        "links": links(panel),
        "options": options(panel),
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit.id(),
                "color": { "mode": colour_mode(panel) },
                "mappings": mappings(panel),
                "thresholds": { "mode": "absolute", "steps": steps(panel) },
                "links": data_links(panel),
                "min": minimum(panel),
                "custom": custom(panel),
            },
            "overrides": overrides(panel),
        },
    });
    remove_nulls(&mut json["fieldConfig"]["defaults"]["custom"]);
    remove_nulls(&mut json["fieldConfig"]["defaults"]);
    json
}

fn plugin(look: Look) -> &'static str {
    match look {
        Look::Stat => "stat",
        Look::TimeSeries => "timeseries",
        Look::Heatmap => "heatmap",
        Look::BarGauge => "bargauge",
        Look::PieChart => "piechart",
    }
}

/// Returns whether the panel shows only the last value. A stat also shows a sparkline.
fn is_instant(look: Look) -> bool {
    matches!(look, Look::BarGauge | Look::PieChart)
}

fn grid(place: Place) -> Value {
    json!({ "x": place.x, "y": place.y, "w": place.width, "h": place.height })
}

/// In a graph, the colour identifies the series; for a single value, it shows the threshold.
fn colour_mode(panel: &Panel) -> &'static str {
    match panel.look {
        Look::Stat | Look::BarGauge => "thresholds",
        Look::TimeSeries | Look::Heatmap | Look::PieChart => "palette-classic",
    }
}

/// The minimum of the axis: zero, except for stats, which also show negative budgets.
fn minimum(panel: &Panel) -> Value {
    match panel.look {
        Look::TimeSeries | Look::BarGauge => json!(0),
        Look::Stat | Look::Heatmap | Look::PieChart => Value::Null,
    }
}

fn overrides(panel: &Panel) -> Vec<Value> {
    let colours = panel.colours.iter().map(|(names, colour)| {
        json!({
            "matcher": { "id": "byRegexp", "options": format!("/{names}/") },
            "properties": [
                { "id": "color", "value": { "mode": "fixed", "fixedColor": colour } },
            ],
        })
    });
    colours.collect()
}

fn mappings(panel: &Panel) -> Value {
    if panel.words.is_empty() {
        return json!([]);
    }
    let words = panel.words.iter().zip(0..).map(|(word, index)| {
        let shown = json!({ "text": word.text, "color": word.colour, "index": index });
        (word.value.to_string(), shown)
    });
    json!([{ "type": "value", "options": words.collect::<serde_json::Map<_, _>>() }])
}

/// Returns the panel's own thresholds, else those of its words or of its alerts, else none.
fn steps(panel: &Panel) -> Vec<Value> {
    let mut steps = panel.steps.clone();
    for (index, word) in panel.words.iter().enumerate() {
        let from = (index > 0).then_some(f64::from(word.value));
        let colour = word.colour;
        steps.push(Step { from, colour });
    }
    if steps.is_empty() {
        steps = steps_of(&panel.lines);
    }
    if steps.is_empty() {
        let colour = if panel.look == Look::Stat {
            "text"
        } else {
            "green"
        };
        steps.push(Step { from: None, colour });
    }
    steps
        .iter()
        .map(|step| json!({ "value": step.from, "color": step.colour }))
        .collect()
}

/// One event in a quarter of an hour, per second.
const JUST_ABOVE_ZERO: f64 = 0.001;

/// Returns the alerts' thresholds in ascending order. If two alerts share one, the higher severity sets the colour.
fn steps_of(lines: &[Line]) -> Vec<Step> {
    let mut lines = lines.to_vec();
    lines.sort_by(|a, b| {
        let by_threshold = a.fires.threshold().total_cmp(&b.fires.threshold());
        by_threshold.then(a.severity.cmp(&b.severity))
    });
    let mut steps: Vec<Step> = Vec::new();
    for line in lines {
        let bad = match line.severity {
            Severity::None => "blue",
            Severity::Warning => "orange",
            Severity::Critical => "red",
        };
        let (below, above) = match line.fires {
            Fires::Above(_) | Fires::At(_) => ("green", bad),
            Fires::Below(_) => (bad, "green"),
        };
        if steps.is_empty() {
            steps.push(Step {
                from: None,
                colour: below,
            });
        }
        // In Grafana a colour includes its threshold, and zero must stay green.
        let from = Some(line.fires.threshold().max(JUST_ABOVE_ZERO));
        steps.retain(|step| step.from != from);
        steps.push(Step {
            from,
            colour: above,
        });
    }
    steps
}

/// Links of the panel's title: runbook sections, and traces if no series names a service.
fn links(panel: &Panel) -> Vec<Value> {
    let mut links: Vec<_> = panel
        .alerts
        .iter()
        .map(|alert| link(&format!("Runbook: {alert}"), &runbook_url(alert)))
        .collect();
    if panel.traces != Traces::None && !panel.names_services() {
        let url = panel.traces.search_url(None, None);
        links.push(link(panel.traces.title(), &url));
    }
    links
}

/// Links of a series: traces of its services, and of its span if it has the label.
fn data_links(panel: &Panel) -> Value {
    if panel.traces == Traces::None || !panel.names_services() {
        return Value::Null;
    }
    let span = panel.has_label("span_name").then(|| of_series("span_name"));
    let links = panel.services.iter().map(|label| {
        let service = of_series(label);
        let url = panel.traces.search_url(Some(&service), span.as_deref());
        match panel.services {
            [_] => link(panel.traces.title(), &url),
            _ => link(&format!("{} of the {label}", panel.traces.title()), &url),
        }
    });
    links.collect()
}

fn link(title: &str, url: &str) -> Value {
    json!({
        "type": "link",
        "title": title,
        "url": url,
        "targetBlank": true,
        "icon": "",
        "tooltip": "",
        "tags": [],
        "asDropdown": false,
        "includeVars": false,
        "keepTime": false,
    })
}

fn remove_nulls(object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
}
