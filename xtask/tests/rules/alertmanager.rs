//! Alertmanager's sample configuration fits the alerts, and holds no secret.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::files::{Alert, alerts, yaml};

#[test]
fn every_alert_reaches_the_receiver_for_its_severity() {
    let config = config();
    for alert in alerts() {
        let receiver = receiver(&config["route"], &alert);
        let expected = match alert.labels["severity"].as_str() {
            "critical" | "page" => "pager",
            "warning" | "ticket" => "tickets",
            _ => "watchdog",
        };
        assert_eq!(receiver, expected, "{}", alert.name);
    }
}

#[test]
fn receivers_are_defined_and_used() {
    let config = config();
    let defined: BTreeSet<_> = list(&config["receivers"])
        .iter()
        .map(|receiver| text(&receiver["name"]))
        .collect();
    let mut used = BTreeSet::from([text(&config["route"]["receiver"])]);
    used.extend(
        list(&config["route"]["routes"])
            .iter()
            .map(|route| text(&route["receiver"])),
    );
    assert_eq!(defined, used);
}

#[test]
fn every_matcher_matches_an_alert() {
    let config = config();
    let alerts = alerts();
    for rule in list(&config["inhibit_rules"]) {
        for key in ["source_matchers", "target_matchers"] {
            let matchers = list(&rule[key]);
            let found = alerts
                .iter()
                .filter(|alert| matchers.iter().all(|m| matches(text(m), alert)))
                .count();
            assert!(found > 0, "{key} {matchers:?} match no alert");
            assert!(found < alerts.len(), "{key} {matchers:?} match every alert");
        }
    }
    let by_name = |name: &str| {
        alerts
            .iter()
            .find(|alert| alert.name == name)
            .expect("an alert")
    };
    for (source, target, inhibited) in [
        ("CriticalEventQueueDepth", "HighEventQueueDepth", true),
        ("HighErrorRate", "SlowRequestLatency", true),
        ("HighErrorRate", "LowCacheHitRate", false),
        ("HttpLatencyFastBurn", "HttpLatencySlowBurn", true),
        ("ServiceDown", "CircuitBreakerOpen", true),
        ("ServiceDown", "HttpAvailabilityFastBurn", false),
        ("ServiceDown", "ServiceDown", false),
        ("CollectorDown", "ServiceMetricsMissing", true),
        ("Watchdog", "ServiceDown", false),
    ] {
        let (source, target) = (by_name(source), by_name(target));
        let inhibits = list(&config["inhibit_rules"]).iter().any(|rule| {
            let all = |key: &str, alert| list(&rule[key]).iter().all(|m| matches(text(m), alert));
            let same_area = list(&rule["equal"]).iter().all(|label| {
                let label = text(label);
                source.labels.get(label) == target.labels.get(label)
            });
            all("source_matchers", source) && all("target_matchers", target) && same_area
        });
        assert_eq!(inhibits, inhibited, "{} and {}", source.name, target.name);
    }
}

#[test]
fn receivers_have_addresses_in_files_only() {
    for receiver in list(&config()["receivers"]) {
        for (kind, settings) in receiver.as_object().expect("a receiver") {
            if kind == "name" {
                continue;
            }
            assert!(kind.ends_with("_configs"), "{kind}");
            for settings in list(settings) {
                for (key, value) in settings.as_object().expect("settings") {
                    let file = key.ends_with("_file") && text(value).starts_with('/');
                    assert!(file || value.is_boolean(), "{kind}: {key} is not a file");
                }
            }
        }
    }
}

fn config() -> Value {
    yaml("prometheus/alertmanager.yml")
}

/// Where the first route leads whose matchers match, as none of them continues.
fn receiver<'a>(route: &'a Value, alert: &Alert) -> &'a str {
    let chosen = list(&route["routes"]).iter().find(|route| {
        list(&route["matchers"])
            .iter()
            .all(|m| matches(text(m), alert))
    });
    text(&chosen.unwrap_or(route)["receiver"])
}

/// A matcher such as `severity=~"critical|page"`; of regular expressions, only alternatives.
fn matches(matcher: &str, alert: &Alert) -> bool {
    let (left, value) = matcher.split_once('"').expect("a quoted value");
    let value = value.strip_suffix('"').expect("a quoted value");
    let operator = left.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let actual = match &left[..left.len() - operator.len()] {
        "alertname" => alert.name.as_str(),
        label => alert.labels.get(label).map_or("", String::as_str),
    };
    match operator {
        "=" => actual == value,
        "!=" => actual != value,
        "=~" => value.split('|').any(|alternative| alternative == actual),
        other => panic!("{matcher}: {other} is not understood"),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}
