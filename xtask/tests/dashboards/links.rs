//! Links lead somewhere.

use std::collections::BTreeSet;
use std::fs;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use xtask::dashboards::{RUNBOOK, alert, runbook_url};
use xtask::workspace;

use crate::file::{File, all, list, text};

#[test]
fn runbook_links_point_to_existing_headings() {
    let headings = headings();
    let mut seen = 0;
    for url in urls().iter().filter(|url| url.starts_with(RUNBOOK)) {
        seen += 1;
        let heading = url[RUNBOOK.len()..].strip_prefix('#').expect("a heading");
        assert!(headings.contains(heading), "{url} is not in {headings:?}");
    }
    let alerts = alert::all().expect("the alerts");
    assert!(seen >= alerts.len(), "{seen} links");
}

/// The headings of `docs/runbook.md`; it has one for each alert.
fn headings() -> BTreeSet<String> {
    let runbook = fs::read_to_string(workspace::root().join("docs/runbook.md"));
    runbook
        .expect("the runbook")
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|heading| heading.trim_start_matches('#').trim().to_lowercase())
        .collect()
}

#[test]
fn runbook_sections_have_the_names_of_alerts() {
    let url = runbook_url("HighErrorRate");
    assert_eq!(url, format!("{RUNBOOK}#higherrorrate"));
}

#[test]
fn links_to_traces_are_searches_that_grafana_can_read() {
    let mut seen = 0;
    for url in urls().iter().filter(|url| url.starts_with("/explore?")) {
        seen += 1;
        let panes = url
            .strip_prefix("/explore?schemaVersion=1&panes=")
            .unwrap_or_else(|| panic!("not a search: {url}"));
        let panes = percent_decode_str(panes).decode_utf8().expect("text");
        let panes: Value = serde_json::from_str(&panes).expect("JSON");
        let pane = &panes["traces"];
        assert_eq!(pane["datasource"], "${jaeger}");
        let query = &pane["queries"][0];
        assert_eq!(
            (&query["queryType"], &query["datasource"]["uid"]),
            (&"search".into(), &"${jaeger}".into())
        );
        assert_eq!(pane["range"]["from"], "${__from}");
    }
    assert!(seen > 20, "{seen} links");
    for file in all() {
        let jaeger = file
            .variables()
            .find(|variable| variable["name"] == "jaeger");
        assert_eq!(
            jaeger.expect("the variable")["query"],
            "jaeger",
            "{}",
            file.name
        );
    }
}

#[test]
fn every_panel_of_a_service_links_to_its_traces() {
    for file in all()
        .iter()
        .filter(|file| file.name != "rustok-telemetry.json")
    {
        for panel in file.panels() {
            let of_series = list(&panel["fieldConfig"]["defaults"]["links"]);
            let mut links = list(&panel["links"]).chain(of_series);
            assert!(
                links.any(|link| text(&link["url"]).starts_with("/explore?")),
                "{}: {}",
                file.name,
                panel["title"]
            );
        }
    }
}

#[test]
fn dashboards_link_to_each_other() {
    let files = all();
    for file in &files {
        let links: Vec<_> = list(&file.json["links"]).collect();
        assert_eq!(links.len(), 1);
        let tag = &links[0]["tags"][0];
        let linked = files
            .iter()
            .filter(|other| list(&other.json["tags"]).any(|has| has == tag));
        assert_eq!(linked.count(), files.len(), "{}", file.name);
    }
}

/// Of all links of panels and series.
fn urls() -> Vec<String> {
    let files = all();
    let panels = files.iter().flat_map(File::panels);
    panels
        .flat_map(|panel| {
            let of_series = list(&panel["fieldConfig"]["defaults"]["links"]);
            let links = list(&panel["links"]).chain(of_series);
            links
                .map(|link| text(&link["url"]).to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}
