//! Panels and thresholds are those of the user's guide.

use xtask::dashboards::alert::{self, Alert, Fires, Severity};

use crate::file::{File, all, list, text};

const GUIDE: &str = include_str!("guide.md");

#[test]
fn the_overview_has_the_panels_of_the_guide_in_its_order() {
    let titles: Vec<_> = section("### Overview Dashboard")
        .filter_map(|line| line.strip_prefix("- "))
        .collect();
    assert_eq!(titles.len(), 7);
    assert_eq!(panels("rustok-overview.json", |panel| panel.0), titles);
}

#[test]
fn the_advanced_dashboard_has_the_panels_of_the_guide_in_its_order_and_types() {
    let expected: Vec<_> = section("### Advanced Dashboard")
        .filter_map(|line| {
            let (_, rest) = line.split_once(". **")?;
            let (title, rest) = rest.split_once("** (")?;
            let kind = rest.split_once(')')?.0;
            Some((title.to_owned(), kind.replace(' ', "").to_lowercase()))
        })
        .collect();
    assert_eq!(expected.len(), 13);
    assert_eq!(panels("rustok-advanced.json", |panel| panel), expected);
}

#[test]
fn thresholds_are_those_of_the_guides_alerts() {
    let guide: Vec<_> = GUIDE.split("- alert: ").skip(1).map(alert_of).collect();
    assert_eq!(guide, alert::GUIDE);
}

#[test]
fn panels_show_the_thresholds_of_the_alerts_that_they_link_to() {
    let files = all();
    for alert in alert::GUIDE.iter().chain(&alert::OURS) {
        let title = format!("Runbook: {}", alert.name);
        let panels: Vec<_> = files
            .iter()
            .flat_map(File::panels)
            .filter(|panel| list(&panel["links"]).any(|link| link["title"] == *title))
            .collect();
        assert!(
            !panels.is_empty(),
            "no panel shows what {} watches",
            alert.name
        );
        // At zero there is no line to draw: any value, or none, is bad.
        let threshold = alert.fires.threshold();
        for panel in panels.iter().filter(|_| threshold > 0.0) {
            let steps = &panel["fieldConfig"]["defaults"]["thresholds"]["steps"];
            let found = list(steps).any(|step| step["value"] == threshold);
            assert!(found, "{} in {}: {steps}", alert.name, panel["title"]);
        }
    }
}

fn section(heading: &str) -> impl Iterator<Item = &'static str> {
    let from_heading = GUIDE.lines().skip_while(move |line| *line != heading);
    from_heading
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
}

fn panels<T>(name: &str, of: impl Fn((String, String)) -> T) -> Vec<T> {
    let files = all();
    let file = files.iter().find(|file| file.name == name).expect("a file");
    file.panels()
        .map(|panel| {
            let of_panel = |field: &str| text(&panel[field]).to_owned();
            of((of_panel("title"), of_panel("type")))
        })
        .collect()
}

/// The name, the comparison at the end of the expression, and the severity.
fn alert_of(rule: &'static str) -> Alert {
    let name = rule.lines().next().expect("a name");
    let (expr, rest) = rule.split_once("\n  for:").expect("a duration");
    let mut words = expr.split_whitespace().rev();
    let number = words.next().expect("a number").parse().expect("a number");
    let fires = match words.next() {
        Some(">") => Fires::Above(number),
        Some("<") => Fires::Below(number),
        Some("==") => Fires::At(number),
        other => panic!("no comparison: {other:?}"),
    };
    let severity = rest.split_once("severity: ").expect("a severity").1;
    let severity = match severity.split_whitespace().next() {
        Some("warning") => Severity::Warning,
        Some("critical") => Severity::Critical,
        other => panic!("no severity: {other:?}"),
    };
    Alert {
        name,
        fires,
        severity,
    }
}
