//! Reads the rule files of Prometheus, `prometheus/*_rules.yml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, io};

use serde::Deserialize;

use crate::workspace;
use crate::yaml::{self, YamlError};

/// A recording or alerting rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name of the recorded series.
    pub record: Option<String>,
    /// The name of the alert.
    pub alert: Option<String>,
    /// The PromQL expression.
    pub expr: String,
    /// The time for which the condition must hold, such as `5m`; empty if the alert fires at once.
    #[serde(rename = "for", default)]
    pub duration: String,
    /// Added labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations of an alert.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// Returns every rule of every file. The files are read once.
///
/// # Errors
///
/// When a file cannot be read.
pub fn all() -> Result<&'static [Rule], &'static RulesError> {
    static RULES: OnceLock<Result<Vec<Rule>, RulesError>> = OnceLock::new();
    RULES.get_or_init(read).as_deref()
}

/// Returns the paths of the rule files, sorted.
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

/// An error in reading the rule files.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file or the folder cannot be read.
    #[error("the rule files below prometheus/: {0}")]
    Io(#[from] io::Error),
    /// A file is not a valid rule file.
    #[error("{}: {error}", file.display())]
    Yaml {
        /// The file.
        file: PathBuf,
        /// The error.
        error: YamlError,
    },
}

fn read() -> Result<Vec<Rule>, RulesError> {
    let mut rules = Vec::new();
    for file in files()? {
        rules.extend(rules_of(&file, &fs::read_to_string(&file)?)?);
    }
    Ok(rules)
}

/// Returns every rule of the text of a file.
///
/// # Errors
///
/// If the text is not that of a rule file.
pub fn rules_of(file: impl AsRef<Path>, text: &str) -> Result<Vec<Rule>, RulesError> {
    #[derive(Deserialize)]
    struct File {
        groups: Vec<Group>,
    }
    #[derive(Deserialize)]
    struct Group {
        rules: Vec<Rule>,
    }
    let read: File = yaml::from_str(text).map_err(|error| RulesError::Yaml {
        file: file.as_ref().to_owned(),
        error,
    })?;
    Ok(read
        .groups
        .into_iter()
        .flat_map(|group| group.rules)
        .collect())
}
