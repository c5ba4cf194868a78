//! The rule files and their cases, read.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use xtask::rules::Rule;
use xtask::{workspace, yaml};

/// An alert of a rule file.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) expr: String,
    /// How long the condition must hold, in Prometheus' words; empty if no longer than a moment.
    pub(crate) duration: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// One entry of `tests:` in a file for `promtool test rules`.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) alert_rule_test: Vec<AlertCheck>,
    #[serde(default)]
    pub(crate) promql_expr_test: Vec<Value>,
}

/// What an alert should do at a moment.
#[derive(Debug, Deserialize)]
pub(crate) struct AlertCheck {
    pub(crate) alertname: String,
    pub(crate) exp_alerts: Vec<Value>,
}

/// Every alert of every rule file.
pub(crate) fn alerts() -> Vec<Alert> {
    rules()
        .into_iter()
        .filter_map(|rule| {
            Some(Alert {
                name: rule.alert?,
                expr: rule.expr,
                duration: rule.duration,
                labels: rule.labels,
                annotations: rule.annotations,
            })
        })
        .collect()
}

/// Every rule of every rule file.
pub(crate) fn rules() -> Vec<Rule> {
    xtask::rules::all().expect("the rules").to_vec()
}

/// Every case of every file of cases.
pub(crate) fn cases() -> Vec<Case> {
    #[derive(Deserialize)]
    struct File {
        tests: Vec<Case>,
    }
    case_files()
        .iter()
        .flat_map(|path| read::<File>(path).tests)
        .collect()
}

pub(crate) fn folder() -> PathBuf {
    workspace::root().join("prometheus")
}

/// `prometheus/*_rules.yml`, in order.
pub(crate) fn rule_files() -> Vec<PathBuf> {
    xtask::rules::files().expect("the rule files")
}

/// `prometheus/tests/*.yml`, in order.
pub(crate) fn case_files() -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder().join("tests"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no cases");
    files
}

/// A file of the workspace.
pub(crate) fn yaml(path: &str) -> Value {
    read(&workspace::root().join(path))
}

fn read<T: serde::de::DeserializeOwned>(path: &PathBuf) -> T {
    let text = fs::read_to_string(path).expect("the file");
    yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
