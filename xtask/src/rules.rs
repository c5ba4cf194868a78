//! The rule files of Prometheus, read: `prometheus/*_rules.yml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, io};

use serde::Deserialize;

use crate::workspace;
use crate::yaml::{self, YamlError};

/// A rule, whether it records or alerts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The series that it records.
    pub record: Option<String>,
    /// The alert that it is.
    pub alert: Option<String>,
    /// What is recorded, or alarms.
    pub expr: String,
    /// How long the condition must hold, in Prometheus' words; empty if no longer than a moment.
    #[serde(rename = "for", default)]
    pub duration: String,
    /// Labels that it adds.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What an alert says.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// Every rule of every file. They are read once.
///
/// # Errors
///
/// When a file cannot be read.
pub fn all() -> Result<&'static [Rule], &'static RulesError> {
    static RULES: OnceLock<Result<Vec<Rule>, RulesError>> = OnceLock::new();
    RULES.get_or_init(read).as_deref()
}

/// The rule files, in order.
///
/// # Errors
///
/// When their folder cannot be read.
pub fn files() -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(workspace::root().join("prometheus"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with("_rules.yml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Why the rules are not known.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file or the folder cannot be read.
    #[error("the rule files below prometheus/: {0}")]
    Io(#[from] io::Error),
    /// It is no file of rules.
    #[error("{}: {error}", file.display())]
    Yaml {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        error: YamlError,
    },
}

fn read() -> Result<Vec<Rule>, RulesError> {
    let mut rules = Vec::new();
    for file in files()? {
        rules.extend(rules_of(&file)?);
    }
    Ok(rules)
}

fn rules_of(file: &Path) -> Result<Vec<Rule>, RulesError> {
    #[derive(Deserialize)]
    struct File {
        groups: Vec<Group>,
    }
    #[derive(Deserialize)]
    struct Group {
        rules: Vec<Rule>,
    }
    let text = fs::read_to_string(file)?;
    let read: File = yaml::from_str(&text).map_err(|error| RulesError::Yaml {
        file: file.to_owned(),
        error,
    })?;
    Ok(read
        .groups
        .into_iter()
        .flat_map(|group| group.rules)
        .collect())
}
