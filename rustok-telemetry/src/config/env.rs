//! The only reader of `OTEL_*` and `RUSTOK_TELEMETRY_*` variables: collects them, and refuses by name those that are not
//! supported.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use super::variables::{LOG_FILTER, Status, find_variable, nearest_variable};
use super::{Diagnostic, Setting, Source, View};

/// Returns the variables of this process.
pub(super) fn process_variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The line, from 1.
    pub(super) line: u32,
    /// The keys that lead to it, such as `tracer_provider.processors[0]`.
    pub(super) path: String,
}

/// The variables that are set, and the diagnostics so far.
#[derive(Default)]
pub(super) struct Reader {
    /// Values by variable; those of a configuration file with their places.
    pub(super) values: BTreeMap<&'static str, (String, Option<Place>)>,
    /// The path of the configuration file, if there is one.
    file: String,
    /// The views of the configuration file.
    pub(super) views: Option<Setting<Vec<View>>>,
    unknown: Vec<String>,
    diagnostics: Vec<Diagnostic>,
    failed: BTreeSet<&'static str>,
}

impl Reader {
    /// Collects the variables of [this library](is_ours) that are not empty; an empty variable counts as unset.
    pub(super) fn collect(variables: &BTreeMap<OsString, OsString>) -> Self {
        let mut reader = Self::default();
        for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            if let Some(name) = name.to_str().filter(|name| is_ours(name)) {
                reader.insert(name, value);
            }
        }
        reader
    }

    /// Returns the setting of the first of `names` that is set and valid, else the default. The others are checked too:
    /// an invalid value is an error even if another one wins.
    pub(super) fn first_of<T>(
        &mut self,
        names: &[&'static str],
        default: T,
        parse: &dyn Fn(&str) -> Result<T, String>,
    ) -> Setting<T> {
        let mut found = None;
        for name in names {
            let Some((text, place)) = self.values.get(name) else {
                continue;
            };
            let source = match place {
                Some(place) => Source::File { line: place.line },
                None => Source::Environment(name),
            };
            match parse(text) {
                Ok(value) => _ = found.get_or_insert(Setting { value, source }),
                Err(why) => self.refuse(name, why),
            }
        }
        found.unwrap_or_else(|| Setting::default_value(default))
    }

    /// Returns the value of a variable that is set.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(value, _)| value.as_str())
    }

    /// Whether the value of this variable has a diagnostic.
    pub(super) fn has_failed(&self, name: &str) -> bool {
        self.failed.contains(name)
    }

    /// Adds a diagnostic for the value of a variable that is set, unless it has one.
    pub(super) fn refuse(&mut self, name: &'static str, why: impl Into<String>) {
        if let Some((value, place)) = self.values.get(name)
            && self.failed.insert(name)
        {
            let diagnostic = Diagnostic::of_value(name, value, why);
            self.diagnostics.push(match place {
                Some(place) => diagnostic.at(&self.file, place),
                None => diagnostic,
            });
        }
    }

    /// Adds a diagnostic for a place in the configuration file.
    #[cfg(feature = "config-file")]
    pub(super) fn refuse_place(&mut self, place: &Place, why: impl Into<String>) {
        let diagnostic = Diagnostic::of_name("", None, why);
        self.diagnostics.push(diagnostic.at(&self.file, place));
    }

    /// Discards the `OTEL_*` variables and their diagnostics, which the configuration file replaces. Returns the names
    /// of those that are set.
    #[cfg(feature = "config-file")]
    pub(super) fn replace_by_file(&mut self, path: &str) -> Vec<&'static str> {
        path.clone_into(&mut self.file);
        let of_opentelemetry = |name: &str| name.starts_with("OTEL_");
        self.diagnostics
            .retain(|diagnostic| !of_opentelemetry(diagnostic.variable()));
        let names: Vec<_> = self.values.keys().copied().collect();
        self.values.retain(|name, _| !of_opentelemetry(name));
        let not_used = |name: &&str| of_opentelemetry(name) && *name != "OTEL_CONFIG_FILE";
        names.into_iter().filter(not_used).collect()
    }

    /// Returns the unknown names and the diagnostics, once all settings are read.
    pub(super) fn finish(self) -> (Vec<String>, Vec<Diagnostic>) {
        (self.unknown, self.diagnostics)
    }

    /// Inserts an honoured variable; refuses a refused or misspelt one.
    fn insert(&mut self, name: &str, value: &OsStr) {
        let diagnostic = match (find_variable(name), value.to_str()) {
            (None, _) => match nearest_variable(name) {
                Some(meant) => {
                    let whose = match name.starts_with(OWN_PREFIX) {
                        true => "RusToK Telemetry",
                        false => "OpenTelemetry",
                    };
                    // The value may be a secret of the variable that is meant.
                    let why = format!("not a variable of {whose}; did you mean {meant}?");
                    Diagnostic::of_name(name, None, why)
                }
                None => return self.unknown.push(name.to_owned()),
            },
            (Some(_), None) => Diagnostic::of_name(name, None, "the value is not UTF-8"),
            (Some(variable), Some(value)) => match variable.status {
                Status::Honoured => {
                    self.values.insert(variable.name, (value.to_owned(), None));
                    return;
                }
                Status::Refused(reason) => Diagnostic::of_name(name, Some(value), reason),
            },
        };
        self.diagnostics.push(diagnostic);
    }
}

/// The prefix of this library's own variables.
const OWN_PREFIX: &str = "RUSTOK_TELEMETRY_";

/// Whether this library reads variables of this name.
fn is_ours(name: &str) -> bool {
    name.starts_with("OTEL_") || name.starts_with(OWN_PREFIX) || name == LOG_FILTER
}
