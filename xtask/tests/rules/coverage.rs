//! Each alert has a case of each kind, and each case is what its name says.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::{Case, alerts, cases};

/// What `prometheus/tests/README.md` says that every alert has.
const REQUIRED: [&str; 4] = ["fires", "just below", "too short", "no data"];
/// What an alert may have besides.
const ALLOWED: [&str; 1] = ["resolves"];
/// Fires whatever happens, so there is nothing in which it could stay silent.
const FIRES_ALWAYS: &str = "Watchdog";

#[test]
fn every_alert_has_a_case_of_each_kind() {
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for case in cases() {
        if let Some((alert, kind)) = alert_and_kind(&case) {
            kinds
                .entry(alert.to_owned())
                .or_default()
                .insert(kind.to_owned());
        }
    }
    let mut missing = Vec::new();
    let alerts: BTreeSet<_> = alerts().into_iter().map(|alert| alert.name).collect();
    for alert in &alerts {
        let has = kinds.remove(alert).unwrap_or_default();
        let required = if alert == FIRES_ALWAYS {
            &REQUIRED[..1]
        } else {
            &REQUIRED
        };
        let lacks: Vec<_> = required
            .iter()
            .filter(|&&kind| !has.contains(kind))
            .collect();
        if !lacks.is_empty() {
            missing.push(format!("{alert} lacks {lacks:?}"));
        }
    }
    let complete = alerts.len() - missing.len();
    let share = 100 * complete / alerts.len();
    assert_eq!(
        share,
        100,
        "{complete} of {} alerts: {missing:#?}",
        alerts.len()
    );
    assert!(
        kinds.is_empty(),
        "cases of alerts that do not exist: {kinds:?}"
    );
}

#[test]
fn a_case_matches_its_name() {
    let mut names = BTreeSet::new();
    for case in cases() {
        let Some((alert, kind)) = alert_and_kind(&case) else {
            continue;
        };
        let name = &case.name;
        assert!(names.insert(name.clone()), "{name}: there are two");
        assert!(
            REQUIRED.contains(&kind) || ALLOWED.contains(&kind),
            "{name}: no such kind"
        );
        for check in &case.alert_rule_test {
            assert_eq!(check.alertname, alert, "{name}: another alert is tested");
            assert_eq!(
                kind == "fires",
                !check.exp_alerts.is_empty(),
                "{name}: {check:?}"
            );
            for expected in &check.exp_alerts {
                for key in ["exp_labels", "exp_annotations"] {
                    let map = expected[key]
                        .as_object()
                        .unwrap_or_else(|| panic!("{name}: no {key}"));
                    assert!(!map.is_empty(), "{name}: {key} is empty");
                }
            }
        }
    }
}

/// An alert is silent too when a series is misspelt: what is silent proves that it has cause to be.
#[test]
fn a_silent_case_verifies_its_condition() {
    for case in cases() {
        let Some((_, kind)) = alert_and_kind(&case) else {
            continue;
        };
        let nothing =
            |proof: &serde_json::Value| proof["exp_samples"].as_array().is_none_or(Vec::is_empty);
        let proved = match kind {
            "fires" | "no data" => true,
            _ => !case.promql_expr_test.is_empty() && !case.promql_expr_test.iter().all(nothing),
        };
        assert!(proved || kind == "resolves", "{}: no proof", case.name);
    }
}

/// None for a case that is about recording rules alone.
fn alert_and_kind(case: &Case) -> Option<(&str, &str)> {
    if case.alert_rule_test.is_empty() {
        return None;
    }
    let (alert, rest) = case
        .name
        .split_once(": ")
        .unwrap_or_else(|| panic!("{}: <Alert>: <kind> is expected", case.name));
    Some((alert, rest.split(',').next().unwrap_or(rest)))
}
