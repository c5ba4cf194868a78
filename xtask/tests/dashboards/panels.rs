//! What every panel and every dashboard has.

use std::collections::BTreeSet;

use crate::file::{File, all, list, text};

#[test]
fn every_panel_has_a_unit_a_title_and_a_description() {
    for file in all() {
        for panel in file.panels() {
            let title = text(&panel["title"]);
            let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
            let description = text(&panel["description"]);
            assert!(
                !title.is_empty() && !unit.is_empty(),
                "{}: {panel}",
                file.name
            );
            // One sentence on what it shows, and one on what to do.
            assert!(
                description.matches(['.', ':', ';']).count() >= 2,
                "{title}: {description:?} does not say what to do"
            );
            assert!(list(&panel["targets"]).count() > 0, "{title} asks nothing");
        }
    }
}

#[test]
fn ids_are_unique_in_a_dashboard_and_uids_among_them() {
    let files = all();
    let uids: BTreeSet<_> = files.iter().map(|file| text(&file.json["uid"])).collect();
    assert_eq!(uids.len(), files.len());
    for file in &files {
        let uid = text(&file.json["uid"]);
        assert_eq!(file.name, format!("{uid}.json"));
        let ids: Vec<_> = list(&file.json["panels"])
            .map(|panel| panel["id"].as_u64().expect("an id"))
            .collect();
        let different: BTreeSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len(), "{uid}: {ids:?}");
    }
}

#[test]
fn panels_do_not_cover_each_other() {
    for file in all() {
        let mut taken = BTreeSet::new();
        for panel in list(&file.json["panels"]) {
            let at = |side: &str| panel["gridPos"][side].as_u64().expect("a number");
            for x in at("x")..at("x") + at("w") {
                assert!(x < 24, "{}: {} is too far right", file.name, panel["title"]);
                for y in at("y")..at("y") + at("h") {
                    assert!(taken.insert((x, y)), "{}: {}", file.name, panel["title"]);
                }
            }
        }
    }
}

#[test]
fn the_data_source_is_a_variable_everywhere() {
    for file in all() {
        let mut sources = Vec::new();
        collect(&file.json, "datasource", &mut sources);
        assert!(sources.len() > file.panels().count());
        for source in sources {
            assert_eq!(source["uid"], "${datasource}", "{}", file.name);
        }
        let first = file.variables().next().expect("a variable");
        assert_eq!(
            (&first["type"], &first["name"]),
            (&"datasource".into(), &"datasource".into())
        );
    }
}

/// What is made of pairs of spans has no traces behind its buckets.
#[test]
fn duration_panels_request_exemplars() {
    let files = all();
    let graphs = files.iter().flat_map(File::panels).filter(|panel| {
        let kind = text(&panel["type"]);
        let asks = |text_of: &str| {
            list(&panel["targets"]).any(|target| text(&target["expr"]).contains(text_of))
        };
        ["timeseries", "heatmap"].contains(&kind)
            && asks("_bucket")
            && !asks("traces_service_graph_")
    });
    let mut seen = 0;
    for panel in graphs {
        seen += 1;
        for target in list(&panel["targets"]) {
            assert_eq!(target["exemplar"], true, "{}", panel["title"]);
        }
    }
    assert!(seen >= 7, "{seen} panels");
}

/// Every value of a field, however deep.
fn collect<'a>(value: &'a serde_json::Value, field: &str, found: &mut Vec<&'a serde_json::Value>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, inner) in object {
                if name == field {
                    found.push(inner);
                }
                collect(inner, field, found);
            }
        }
        serde_json::Value::Array(items) => {
            items.iter().for_each(|item| collect(item, field, found));
        }
        _ => {}
    }
}
