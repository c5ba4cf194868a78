//! Each alert says what it is about, with what is needed to look further.

use std::collections::BTreeSet;

use crate::files::alerts;

const SEVERITIES: [&str; 5] = ["critical", "warning", "page", "ticket", "none"];
const DASHBOARDS: [&str; 4] = [
    "rustok-overview",
    "rustok-advanced",
    "rustok-slo",
    "rustok-telemetry",
];

#[test]
fn every_alert_is_complete() {
    let mut names = BTreeSet::new();
    for alert in alerts() {
        let name = &alert.name;
        assert!(names.insert(name.clone()), "{name}: there are two");
        assert!(
            SEVERITIES.contains(&alert.labels["severity"].as_str()),
            "{name}"
        );
        assert!(!alert.labels["area"].is_empty(), "{name}");
        let annotation = |key: &str| {
            let text = alert
                .annotations
                .get(key)
                .unwrap_or_else(|| panic!("{name}: no {key}"));
            assert!(!text.is_empty(), "{name}: {key} is empty");
            text.as_str()
        };
        annotation("summary");
        assert!(
            annotation("description").contains("$value"),
            "{name}: no value"
        );
        assert!(
            name == "Watchdog" || annotation("description").contains("$labels."),
            "{name}: no label"
        );
        assert_eq!(
            annotation("runbook_url"),
            format!("docs/runbook.md#{}", name.to_lowercase()),
            "{name}"
        );
        let dashboard = annotation("dashboard").strip_prefix("/d/");
        assert!(
            dashboard.is_some_and(|uid| DASHBOARDS.contains(&uid)),
            "{name}: {dashboard:?}"
        );
    }
}
