//! Dashboards and rules with the names that a service gives the built-in metrics: `Builder::metric_prefix` and
//! `Builder::without_tenants`.
//!
//! The committed files are rewritten, so there is one definition of each panel and rule. Exactly the names of the
//! catalogue are replaced, as whole words, and with them those of the recorded series that contain the prefix:
//! `job:rustok_http_requests:rate5m` becomes `job:shop_http_requests:rate5m`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use rustok_telemetry::__private::prefix_problems;
use rustok_telemetry::metrics::{Kind, catalogue};
use serde_json::Value;

use crate::rules::{self, RulesError};
use crate::workspace;

/// Prefix of the declared names.
const DECLARED: &str = "rustok_";

/// The label of the tenant, and the variable of the dashboards that selects its values.
const LABEL: &str = "tenant_id";
const VARIABLE: &str = "tenant";

/// The names of a service.
#[derive(Debug)]
pub struct Names {
    prefix: String,
    without_tenants: bool,
    /// Declared metrics with their suffixes, and recorded series.
    known: BTreeSet<String>,
}

/// A rewritten file.
#[derive(Debug)]
pub struct Rewritten {
    /// The path, relative to the root of the workspace.
    pub path: PathBuf,
    /// The content.
    pub content: String,
}

/// Why files cannot be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The prefix is invalid.
    #[error(
        "--prefix {prefix}: {why}. Allowed: lower-case words joined by single `_`, beginning with a letter, such as \
         `web_shop`"
    )]
    Prefix {
        /// The prefix.
        prefix: String,
        /// What is wrong.
        why: String,
    },
    /// A rule file cannot be read.
    #[error(transparent)]
    Rules(&'static RulesError),
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// A file uses tenants in a form that is not rewritten.
    #[error("{}: without tenants, this needs a form of its own: {text}", path.display())]
    Tenants {
        /// The file.
        path: PathBuf,
        /// The text that remains.
        text: String,
    },
}

impl Names {
    /// Returns the names with this prefix.
    ///
    /// # Errors
    ///
    /// If the prefix is invalid, or a rule file cannot be read.
    pub fn new(prefix: &str, without_tenants: bool) -> Result<Self, NamesError> {
        let why = prefix_problems(prefix);
        if !why.is_empty() {
            let prefix = prefix.to_owned();
            return Err(NamesError::Prefix { prefix, why });
        }
        let metrics = catalogue()
            .into_iter()
            .flat_map(|metric| match metric.kind {
                Kind::Histogram => ["", "_bucket", "_count", "_sum"]
                    .map(|suffix| format!("{}{suffix}", metric.name))
                    .to_vec(),
                _ => vec![metric.name.to_owned()],
            });
        let rules = rules::all().map_err(NamesError::Rules)?.iter();
        let recorded = rules.filter_map(|rule| rule.record.clone());
        Ok(Self {
            prefix: prefix.to_owned(),
            without_tenants,
            known: metrics.chain(recorded).collect(),
        })
    }

    /// Returns every rule file, its test cases and every dashboard, rewritten.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or rewritten.
    pub fn files(&self) -> Result<Vec<Rewritten>, NamesError> {
        let mut files = Vec::new();
        for folder in ["prometheus", "prometheus/tests", "grafana/dashboards"] {
            for path in listed(Path::new(folder))? {
                let name = path.to_string_lossy();
                let text = read(&path)?;
                let content = match folder {
                    "grafana/dashboards" => self.dashboard(&path, &text)?,
                    "prometheus/tests" if name.ends_with(".yml") => self.cases(&text),
                    "prometheus" if name.ends_with("_rules.yml") => self.rules(&path, &text)?,
                    _ => continue,
                };
                files.push(Rewritten { path, content });
            }
        }
        Ok(files)
    }

    fn rules(&self, path: &Path, text: &str) -> Result<String, NamesError> {
        let text = self.cases(text);
        self.refuse(path, text.lines().find(|line| line.contains(LABEL)))?;
        Ok(text)
    }

    /// Rewrites test cases, in which `tenant_id` may also be a value.
    fn cases(&self, text: &str) -> String {
        format!("# Written by `{}`.\n{}", self.command(), self.text(text))
    }

    fn dashboard(&self, path: &Path, text: &str) -> Result<String, NamesError> {
        let mut dashboard: Value =
            serde_json::from_str(text).map_err(|error| NamesError::Read {
                path: path.to_owned(),
                error: error.into(),
            })?;
        let variables = dashboard["templating"]["list"].as_array_mut();
        if let Some(variables) = variables.filter(|_| self.without_tenants) {
            variables.retain(|variable| variable["name"] != VARIABLE);
        }
        self.value(&mut dashboard);
        let text = format!("{dashboard:#}\n");
        let mut lines = text.lines();
        let unclear =
            lines.find(|line| line.contains(LABEL) || line.contains(&format!("${VARIABLE}")));
        self.refuse(path, unclear)?;
        Ok(text)
    }

    /// Rewrites all texts of a dashboard. Sentences of a description about tenants are omitted.
    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(members) => {
                for (key, value) in members {
                    if let ("description", Value::String(text), true) =
                        (&**key, &mut *value, self.without_tenants)
                    {
                        let sentences = text.split_inclusive(". ");
                        let kept: String =
                            sentences.filter(|text| !text.contains(VARIABLE)).collect();
                        *text = kept.trim_end().to_owned();
                    }
                    self.value(value);
                }
            }
            _ => {}
        }
    }

    fn refuse(&self, path: &Path, unclear: Option<&str>) -> Result<(), NamesError> {
        match unclear.filter(|_| self.without_tenants) {
            None => Ok(()),
            Some(text) => Err(NamesError::Tenants {
                path: path.to_owned(),
                text: text.trim().to_owned(),
            }),
        }
    }

    /// Returns a text with the names of the service, and without matchers of tenants.
    fn text(&self, text: &str) -> String {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let mut renamed = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_of_name) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|c| !is_of_name(c)).unwrap_or(from.len());
            let (name, after) = from.split_at(end);
            renamed.push_str(before);
            renamed.push_str(&self.name(name, after.starts_with('*')));
            rest = after;
        }
        renamed.push_str(rest);
        match self.without_tenants {
            true => without_matchers(&renamed),
            false => renamed,
        }
    }

    /// Returns the name of the service for a known name, or for the beginning of one.
    fn name(&self, name: &str, is_beginning: bool) -> String {
        let begins = |known: &String| is_beginning && known.starts_with(name);
        let is_known = self.known.contains(name) || self.known.iter().any(begins);
        match name.find(DECLARED).filter(|_| is_known) {
            Some(at) => format!(
                "{}{}_{}",
                &name[..at],
                self.prefix,
                &name[at + DECLARED.len()..]
            ),
            None => name.to_owned(),
        }
    }

    fn command(&self) -> String {
        let tenants = match self.without_tenants {
            true => " --without-tenants",
            false => "",
        };
        format!("cargo xtask names --prefix {}{tenants}", self.prefix)
    }
}

/// Removes the matchers of tenants, such as `, tenant_id=~"$tenant"`.
fn without_matchers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(LABEL) {
        let (before, from) = rest.split_at(start);
        let after_label = &from[LABEL.len()..];
        let operator = ["=~\"", "!~\"", "!=\"", "=\""]
            .into_iter()
            .find(|operator| after_label.starts_with(operator));
        let value = operator.and_then(|operator| after_label[operator.len()..].split_once('"'));
        let Some((_, after)) = value.filter(|_| before.ends_with(['{', ' ', ','])) else {
            kept.push_str(before);
            kept.push_str(LABEL);
            rest = after_label;
            continue;
        };
        match before.trim_end().strip_suffix(',') {
            Some(before) => {
                kept.push_str(before);
                rest = after;
            }
            None => {
                kept.push_str(before);
                rest = after
                    .strip_prefix(',')
                    .unwrap_or(after)
                    .trim_start_matches(' ');
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Returns the files of a folder, sorted, relative to the root of the workspace.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, NamesError> {
    let error = |error| NamesError::Read {
        path: folder.to_owned(),
        error,
    };
    let entries = fs::read_dir(workspace::root().join(folder)).map_err(error)?;
    let paths = entries.map(|entry| Ok(folder.join(entry?.file_name())));
    let mut paths = paths.collect::<io::Result<Vec<_>>>().map_err(error)?;
    paths.retain(|path| workspace::root().join(path).is_file());
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, NamesError> {
    fs::read_to_string(workspace::root().join(path)).map_err(|error| NamesError::Read {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_rewritten(text: &str, expected: &str) {
        let names = Names::new("shop", true).expect("the names");
        assert_eq!(names.text(text), expected);
    }

    #[test]
    fn exactly_the_names_of_the_catalogue_are_replaced() {
        assert_rewritten(
            "sum by (job) (rate(rustok_http_requests_total[5m])) / job:rustok_http_requests:rate5m",
            "sum by (job) (rate(shop_http_requests_total[5m])) / job:shop_http_requests:rate5m",
        );
        assert_rewritten(
            "rustok_http_request_duration_seconds_bucket{le=\"0.5\"}",
            "shop_http_request_duration_seconds_bucket{le=\"0.5\"}",
        );
        assert_rewritten("rustok_span_* and `rustok_*`", "shop_span_* and `shop_*`");
        for kept in [
            "rustok_http_requests_totals",
            "rustok_spam_*",
            "my_rustok_http_requests_total",
            "rustok_server_orders_total",
            "rustok_telemetry::instrument",
            "/d/rustok-overview",
            "process_threads",
        ] {
            assert_rewritten(kept, kept);
        }
    }

    #[test]
    fn matchers_of_tenants_are_removed() {
        let name = "shop_event_bus_published_total";
        for (matchers, kept) in [
            ("tenant_id=\"acme\"", ""),
            ("job=\"a\", tenant_id=~\"$tenant\"", "job=\"a\""),
            ("tenant_id!=\"a\", job=\"a\"", "job=\"a\""),
            (
                "job=\"a\",tenant_id!~\"a|b\",event_type=\"c\"",
                "job=\"a\",event_type=\"c\"",
            ),
            ("label=\"tenant_id\"", "label=\"tenant_id\""),
            ("x_tenant_id=\"a\"", "x_tenant_id=\"a\""),
        ] {
            let text = |matchers| format!("{name}{{{matchers}}}");
            assert_rewritten(&text(matchers), &text(kept));
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let names = Names::new("shop", true).expect("the names");
        let refused = names.rules(Path::new("a_rules.yml"), "expr: sum by (tenant_id) (x)\n");
        let error = refused.expect_err("per tenant").to_string();
        assert!(
            error.starts_with("a_rules.yml: ") && error.ends_with("sum by (tenant_id) (x)"),
            "{error}"
        );
        let error = Names::new("Shop", false)
            .expect_err("upper case")
            .to_string();
        assert!(
            error.starts_with("--prefix Shop: it contains 'S'. Allowed: "),
            "{error}"
        );
    }
}
