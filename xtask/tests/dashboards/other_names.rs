//! The dashboards of `cargo xtask names` query the metrics of a service that sets the same names.

use rustok_telemetry::config::TelemetryConfig;
use serde_json::Value;
use xtask::names::Names;
use xtask::rules::{self, Rule};

use crate::file::{File, Times, text};
use crate::promql::{Metrics, problems_with};

const TIMES: Times = Times {
    rate_interval: "4m",
    range: "1h",
};

#[test_fork::test]
fn queries_have_the_names_of_the_service() {
    // Before telemetry starts, the catalogue has the declared names.
    let (tenants, none) = (rewritten(false), rewritten(true));
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let config = TelemetryConfig::from_vars(variables).expect("valid");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .without_subscriber();
    let telemetry = telemetry.metric_prefix("shop").without_tenants().init();
    let telemetry = telemetry.expect("telemetry starts");
    let (files, rules) = &none;
    let metrics = Metrics::with(rules);
    let mut queries = 0;
    for file in files {
        let json = file.json.to_string();
        assert!(!json.contains("tenant"), "{}: {json}", file.name);
        let of_panels = file.queries().map(|query| query.expr);
        for expr in of_panels.chain(file.annotations()) {
            let filled = file.fill(expr, TIMES);
            assert_eq!(
                problems_with(&filled, &metrics),
                [""; 0],
                "{}: {filled}",
                file.name
            );
            queries += usize::from(filled.contains("shop_"));
        }
    }
    assert!(queries > 30, "{queries} queries");
    for rule in rules {
        for name in names(&rule.expr) {
            assert!(
                metrics.has(&name),
                "{:?}: no metric {name}",
                rule.record.as_ref().or(rule.alert.as_ref())
            );
        }
    }
    // With tenants, the label is selected as before.
    let (files, _) = &tenants;
    let advanced = files
        .iter()
        .find(|file| file.name.ends_with("rustok-advanced.json"));
    let mut variables = advanced.expect("the dashboard").variables();
    let tenant = variables
        .find(|variable| variable["name"] == "tenant")
        .expect("the variable");
    let selects = "label_values(shop_event_bus_published_total{job=~\"$job\", instance=~\"$instance\"}, tenant_id)";
    assert_eq!(text(&tenant["definition"]), selects);
    let _ = telemetry.shutdown();
}

/// The metrics of this crate in an expression.
fn names(expr: &str) -> Vec<String> {
    let words = expr.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let own = words.filter(|word| word.starts_with("shop_") || word.starts_with("rustok_"));
    own.map(str::to_owned).collect()
}

/// The dashboards and rules with the prefix `shop`.
fn rewritten(without_tenants: bool) -> (Vec<File>, Vec<Rule>) {
    let names = Names::new("shop", without_tenants).expect("the names");
    let (mut files, mut rules) = (Vec::new(), Vec::new());
    for file in names.files().expect("the files") {
        let name = file.path.to_string_lossy().into_owned();
        if name.ends_with(".json") {
            let json: Value = serde_json::from_str(&file.content).expect("JSON");
            files.push(File { name, json });
        } else if name.ends_with("_rules.yml") {
            rules.extend(rules::rules_of(&name, &file.content).expect("rules"));
        }
    }
    assert_eq!(files.len(), 5);
    (files, rules)
}
