//! What Grafana is provisioned with fits the dashboards.

use std::fs;

use rustok_telemetry::__private::SECTIONS;
use xtask::workspace;

use crate::file::{all, text};
use crate::promql::problems;

#[test]
fn dashboards_default_to_provisioned_data_sources() {
    let sources = read("datasources/datasources.yml");
    for file in all() {
        let variables = file
            .variables()
            .filter(|variable| variable["type"] == "datasource");
        let mut seen = 0;
        for variable in variables {
            seen += 1;
            let (uid, plugin) = (
                text(&variable["current"]["value"]),
                text(&variable["query"]),
            );
            assert!(
                sources.contains(&format!("    uid: {uid}\n    type: {plugin}\n")),
                "{uid}"
            );
        }
        assert_eq!(seen, 2, "{}", file.name);
    }
    for link in values(&sources, "datasourceUid: ") {
        assert!(sources.contains(&format!("    uid: {link}\n")), "{link}");
    }
}

/// A shorter interval would make rates that are zero between two pushes.
#[test]
fn the_interval_is_the_default_export_interval() {
    let variables = SECTIONS.iter().flat_map(|section| section.variables);
    let pushes = variables
        .filter(|variable| variable.name == "OTEL_METRIC_EXPORT_INTERVAL")
        .map(|variable| variable.default);
    assert_eq!(pushes.collect::<Vec<_>>(), ["60000"]);
    let sources = read("datasources/datasources.yml");
    assert_eq!(values(&sources, "timeInterval: "), ["60s"]);
}

#[test]
fn queries_from_traces_to_metrics_are_valid() {
    let sources = read("datasources/datasources.yml");
    let queries = values(&sources, "query: ");
    assert_eq!(queries.len(), 3);
    for query in queries {
        let filled = query.replace("$$__tags", "job=\"service\", instance=\"one\"");
        assert_ne!(filled, query, "it asks for every service");
        assert_eq!(problems(&filled), [""; 0], "{query}");
    }
}

/// What follows this word, wherever a line has it.
fn values<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let lines = text.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix(word)).collect()
}

fn read(name: &str) -> String {
    let folder = workspace::root().join("grafana/provisioning");
    fs::read_to_string(folder.join(name)).expect("a file")
}
