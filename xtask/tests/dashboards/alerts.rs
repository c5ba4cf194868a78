//! Each alert has a panel that shows what it watches.

use std::collections::BTreeSet;

use serde_json::Value;
use xtask::dashboards::alert;
use xtask::rules;

use crate::file::{File, Times, all, list, text};
use crate::selectors;

const TIMES: Times = Times {
    rate_interval: "4m",
    range: "1h",
};

#[test]
fn every_alert_has_a_panel() {
    let files = all();
    for alert in alert::all().expect("the alerts") {
        let leads = |panel: &Value| leads_to(panel, &alert.name);
        assert!(
            files.iter().flat_map(File::panels).any(leads),
            "no panel shows what {} watches",
            alert.name
        );
    }
}

/// Above zero: at zero there is no line to draw, since any value, or none, is bad.
#[test]
fn every_threshold_is_drawn_on_a_panel_with_its_alert() {
    let files = all();
    let mut drawn = 0;
    for alert in alert::all().expect("the alerts") {
        let file = files
            .iter()
            .find(|file| file.panels().any(|panel| leads_to(panel, &alert.name)));
        let file = file.expect("a panel");
        let thresholds = alert.conditions.iter().map(|part| part.fires.threshold());
        for threshold in thresholds.filter(|&threshold| threshold > 0.0) {
            drawn += 1;
            let found = file.panels().flat_map(steps);
            assert!(
                found.into_iter().any(|step| step["value"] == threshold),
                "{}: {threshold} is not in {}",
                alert.name,
                file.name
            );
        }
    }
    assert!(drawn > 15, "{drawn} thresholds");
}

#[test]
fn panels_query_the_series_of_their_alerts() {
    let rules = rules::all().expect("the rules");
    let alerts: Vec<_> = rules
        .iter()
        .filter_map(|rule| Some((rule.alert.as_deref()?, metrics(&rule.expr))))
        // Watchdog watches nothing.
        .filter(|(_, watched)| !watched.is_empty())
        .collect();
    let mut seen = 0;
    for file in all() {
        for panel in file.panels() {
            let asked: BTreeSet<_> = list(&panel["targets"])
                .flat_map(|target| metrics(&file.fill(text(&target["expr"]), TIMES)))
                .collect();
            for (alert, watched) in alerts.iter().filter(|(alert, _)| leads_to(panel, alert)) {
                seen += 1;
                assert!(
                    !asked.is_disjoint(watched),
                    "{}: {} asks for {asked:?}, and {alert} watches {watched:?}",
                    file.name,
                    panel["title"]
                );
            }
        }
    }
    assert!(seen > 30, "{seen} pairs");
}

fn leads_to(panel: &Value, alert: &str) -> bool {
    let title = format!("Runbook: {alert}");
    list(&panel["links"]).any(|link| link["title"] == *title)
}

fn steps(panel: &Value) -> Vec<&Value> {
    list(&panel["fieldConfig"]["defaults"]["thresholds"]["steps"]).collect()
}

/// The metrics behind an expression, in place of what rules record of them; a histogram's parts are one.
fn metrics(promql: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for selector in selectors::of(promql) {
        let name = selector.name.expect("a name");
        let rules = rules::all().expect("the rules").iter();
        let records: Vec<_> = rules
            .filter(|rule| rule.record.as_deref() == Some(&*name))
            .collect();
        for rule in &records {
            found.extend(metrics(&rule.expr));
        }
        if records.is_empty() {
            let parts = ["_bucket", "_count"];
            let metric = parts.iter().find_map(|part| name.strip_suffix(part));
            found.insert(metric.unwrap_or(&name).to_owned());
        }
    }
    found
}
