//! What the rules and the runbook refer to exists.

use std::collections::BTreeSet;
use std::fs;

use rustok_telemetry::metrics::{Kind, catalogue};
use xtask::workspace;

use crate::files::{alerts, rules};

#[test]
fn every_rustok_metric_is_declared() {
    let declared: BTreeSet<String> = catalogue()
        .into_iter()
        .flat_map(|metric| match metric.kind {
            Kind::Histogram => ["_bucket", "_count", "_sum"]
                .map(|suffix| format!("{}{suffix}", metric.name))
                .to_vec(),
            _ => vec![metric.name.to_owned()],
        })
        .collect();
    let mut seen = 0;
    for (place, text) in texts() {
        for name in names(&text, "rustok_") {
            assert!(
                declared.contains(name),
                "{place}: no metric {name} is declared"
            );
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} names were found");
}

#[test]
fn every_recorded_series_is_recorded() {
    let recorded: BTreeSet<String> = rules().into_iter().filter_map(|rule| rule.record).collect();
    for (place, text) in texts() {
        for name in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')) {
            let level = name.split(':').next().unwrap_or_default();
            if name.matches(':').count() == 2 && (level == "slo" || level.starts_with("job")) {
                assert!(recorded.contains(name), "{place}: nothing records {name}");
            }
        }
    }
}

#[test]
fn a_recorded_series_is_named_by_level_metric_and_operations() {
    for name in rules().into_iter().filter_map(|rule| rule.record) {
        let parts: Vec<_> = name.split(':').collect();
        assert!(
            parts.len() == 3 && parts.iter().all(|part| !part.is_empty()),
            "{name}"
        );
    }
}

/// The limit of the Collector's memory is told by no metric, so the alert repeats it.
#[test]
fn the_collectors_memory_limit_is_that_of_its_configuration() {
    let config = fs::read_to_string(workspace::root().join("collector/config.yaml"))
        .expect("the configuration");
    let (_, rest) = config
        .split_once("COLLECTOR_MEMORY_LIMIT_MIB:-")
        .expect("the limit");
    let limit: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let alerts = alerts();
    let alert = alerts
        .iter()
        .find(|alert| alert.name == "CollectorMemoryHigh")
        .expect("the alert");
    assert!(
        alert
            .expr
            .ends_with(&format!("0.8 * {limit} * 1024 * 1024")),
        "{}",
        alert.expr
    );
    assert!(alert.annotations["description"].contains(&format!("{limit}MiB")));
}

/// Every expression, and the runbook.
fn texts() -> Vec<(String, String)> {
    let runbook =
        fs::read_to_string(workspace::root().join("docs/runbook.md")).expect("the runbook");
    rules()
        .into_iter()
        .map(|rule| (rule.alert.or(rule.record).unwrap_or_default(), rule.expr))
        .chain([("docs/runbook.md".to_owned(), runbook)])
        .collect()
}

/// The words of a text that begin so; recorded series, which have colons, are not among them.
fn names<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter(move |word| word.starts_with(prefix) && !word.contains(':'))
}
