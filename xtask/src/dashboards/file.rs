//! The committed dashboards, as Grafana reads them. Everything panics if a file is not as the generator writes it.

use std::fs;

use serde_json::Value;

use crate::workspace;

/// A dashboard's file.
#[derive(Debug)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its content.
    pub json: Value,
}

/// A query of a panel.
#[derive(Debug)]
pub struct Query<'a> {
    /// The panel.
    pub panel: &'a Value,
    /// The expression, with variables.
    pub expr: &'a str,
    /// As it is in the file, whole.
    pub target: &'a Value,
}

/// A variable whose values are those of a label.
#[derive(Debug)]
pub struct LabelValues<'a> {
    /// Its name.
    pub variable: &'a str,
    /// Which series.
    pub series: &'a str,
    /// The label.
    pub label: &'a str,
}

/// What stands for the variables that Grafana itself sets.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// `$__rate_interval`.
    pub rate_interval: &'static str,
    /// `$__range`.
    pub range: &'static str,
}

/// All of them, by name.
pub fn all() -> Vec<File> {
    let folder = workspace::root().join("grafana/dashboards");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the dashboards")
        .map(|entry| {
            let path = entry.expect("a file").path();
            let text = fs::read_to_string(&path).expect("a file");
            let name = path.file_name().expect("a name");
            File {
                name: name.to_string_lossy().into_owned(),
                json: serde_json::from_str(&text).expect("JSON"),
            }
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(files.len(), 5);
    files
}

impl File {
    /// The panels, without headings.
    pub fn panels(&self) -> impl Iterator<Item = &Value> {
        list(&self.json["panels"]).filter(|panel| panel["type"] != "row")
    }

    /// The queries of all panels.
    pub fn queries(&self) -> impl Iterator<Item = Query<'_>> {
        self.panels().flat_map(|panel| {
            list(&panel["targets"]).map(move |target| Query {
                panel,
                expr: text(&target["expr"]),
                target,
            })
        })
    }

    /// The queries of annotations.
    pub fn annotations(&self) -> impl Iterator<Item = &str> {
        list(&self.json["annotations"]["list"]).map(|annotation| text(&annotation["expr"]))
    }

    /// All variables.
    pub fn variables(&self) -> impl Iterator<Item = &Value> {
        list(&self.json["templating"]["list"])
    }

    /// The variables that list a label's values.
    pub fn label_values(&self) -> impl Iterator<Item = LabelValues<'_>> {
        let queries = self
            .variables()
            .filter(|variable| variable["type"] == "query");
        queries.map(|variable| {
            let query = text(&variable["query"]["query"]);
            let inner = query
                .strip_prefix("label_values(")
                .and_then(|query| query.strip_suffix(')'))
                .unwrap_or_else(|| panic!("another kind of query: {query}"));
            let (series, label) = inner.rsplit_once(", ").expect("series and a label");
            LabelValues {
                variable: text(&variable["name"]),
                series,
                label,
            }
        })
    }

    /// A query as Grafana sends it when everything is selected.
    pub fn fill(&self, expr: &str, times: Times) -> String {
        let mut filled = expr
            .replace("$__rate_interval", times.rate_interval)
            .replace("$__range", times.range);
        for variable in self.variables() {
            let value = match text(&variable["type"]) {
                "query" => text(&variable["allValue"]),
                _ => text(&variable["query"]),
            };
            filled = filled.replace(&format!("${}", text(&variable["name"])), value);
        }
        assert!(
            !filled.contains('$'),
            "a variable that does not exist: {filled}"
        );
        filled
    }
}

/// The items of an array; none if it is missing.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text that has to be there.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
