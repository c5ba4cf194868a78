//! Panels and thresholds are those of RusToK's Metrics Dashboard Guide.

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
    // Further panels are in a row of their own.
    let panels = panels("rustok-advanced.json", |panel| panel);
    assert_eq!(panels[..expected.len()], expected);
}

/// The guide's alert on circuit breakers is on their state, which is what the panel shows: ours counts those that are open.
#[test]
fn thresholds_match_the_alerts_of_the_guide() {
    let guide: Vec<_> = GUIDE.split("- alert: ").skip(1).map(alert_of).collect();
    assert_eq!(guide.len(), 7);
    let files = all();
    for alert in guide {
        let title = format!("Runbook: {}", alert.name);
        let mut panels = files
            .iter()
            .flat_map(File::panels)
            .filter(|panel| list(&panel["links"]).any(|link| link["title"] == *title))
            .peekable();
        assert!(panels.peek().is_some(), "no panel leads to {}", alert.name);
        for panel in panels {
            let steps = &panel["fieldConfig"]["defaults"]["thresholds"]["steps"];
            let at = list(steps).position(|step| step["value"] == alert.threshold);
            let at = at.unwrap_or_else(|| panic!("{} in {}: {steps}", alert.name, panel["title"]));
            // Below a threshold is what comes before it.
            let bad = if alert.below { at - 1 } else { at };
            assert_eq!(steps[bad]["color"], alert.colour, "{}", alert.name);
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

/// An alert of the guide.
struct Alert {
    name: &'static str,
    threshold: f64,
    /// Whether less than the threshold is bad.
    below: bool,
    colour: &'static str,
}

/// The name, the comparison at the end of the expression, and the severity.
fn alert_of(rule: &'static str) -> Alert {
    let name = rule.lines().next().expect("a name");
    let (expr, rest) = rule.split_once("\n  for:").expect("a duration");
    let mut words = expr.split_whitespace().rev();
    let threshold = words.next().expect("a number").parse().expect("a number");
    let below = match words.next() {
        Some(">" | "==") => false,
        Some("<") => true,
        other => panic!("no comparison: {other:?}"),
    };
    let severity = rest.split_once("severity: ").expect("a severity").1;
    let colour = match severity.split_whitespace().next() {
        Some("warning") => "orange",
        Some("critical") => "red",
        other => panic!("no severity: {other:?}"),
    };
    Alert {
        name,
        threshold,
        below,
        colour,
    }
}
