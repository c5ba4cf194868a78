//! The only reader of `OTEL_*` and `RUSTOK_TELEMETRY_*` variables: collects them, and refuses by name those that are not
//! supported.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::error::Diagnostic;
use super::setting::{Setting, Source};
use super::variables::{LOG_FILTER, Status, find_variable, nearest_variable};
use super::views::View;

/// Returns the variables of this process.
pub(super) fn process_variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// Where something stands in a configuration file.
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
    values: BTreeMap<&'static str, String>,
    /// Of values that a configuration file gave.
    places: BTreeMap<&'static str, Place>,
    /// The configuration file, if there is one.
    file: String,
    /// What the file says of views.
    views: Option<Setting<Vec<View>>>,
    unknown: Vec<String>,
    diagnostics: Vec<Diagnostic>,
    failed: BTreeSet<&'static str>,
}

impl Reader {
    /// Keeps the variables of [this library](is_ours) that are not empty; an empty variable is an unset one.
    pub(super) fn collect(variables: &BTreeMap<OsString, OsString>) -> Self {
        let mut reader = Self::default();
        for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            if let Some(name) = name.to_str()
                && is_ours(name)
            {
                reader.sort(name.to_owned(), value.clone());
            }
        }
        reader
    }

    /// Returns the setting of the first of `names` that is set and valid, else the default. The others are checked
    /// too, since a wrong value is wrong even where another one wins.
    pub(super) fn first_of<T>(
        &mut self,
        names: &[&'static str],
        default: T,
        parse: &dyn Fn(&str) -> Result<T, String>,
    ) -> Setting<T> {
        let mut found = None;
        for name in names {
            match self.values.get(name).map(|text| parse(text)) {
                Some(Ok(value)) => {
                    let source = match self.places.get(name) {
                        Some(place) => Source::File { line: place.line },
                        None => Source::Environment(name),
                    };
                    found.get_or_insert(Setting { value, source });
                }
                Some(Err(why)) => self.refuse(name, why),
                None => {}
            }
        }
        found.unwrap_or_else(|| Setting::default_value(default))
    }

    /// Returns the value of a variable that is set.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether this variable has a diagnostic.
    pub(super) fn has_failed(&self, name: &str) -> bool {
        self.failed.contains(name)
    }

    /// Adds a diagnostic for the value of a variable that is set. The first one of a variable counts.
    pub(super) fn refuse(&mut self, name: &'static str, why: impl Into<String>) {
        if let Some(value) = self.values.get(name)
            && self.failed.insert(name)
        {
            let diagnostic = Diagnostic::of_value(name, value, why);
            self.diagnostics.push(match self.places.get(name) {
                Some(place) => diagnostic.at(&self.file, place.line, &place.path),
                None => diagnostic,
            });
        }
    }

    /// Keeps the views of a configuration file.
    #[cfg(feature = "config-file")]
    pub(super) fn keep_views(&mut self, views: Vec<View>, line: u32) {
        let source = Source::File { line };
        self.views = Some(Setting {
            value: views,
            source,
        });
    }

    /// Returns the views of the configuration file.
    pub(super) fn take_views(&mut self) -> Setting<Vec<View>> {
        let views = self.views.take();
        views.unwrap_or_else(|| Setting::default_value(Vec::new()))
    }

    /// Adds a diagnostic for the configuration file itself.
    #[cfg(feature = "config-file")]
    pub(super) fn refuse_place(&mut self, place: Place, why: String) {
        let diagnostic = Diagnostic::of_name("", None, why);
        self.diagnostics
            .push(diagnostic.at(&self.file, place.line, &place.path));
    }

    /// Replaces all values that were collected, and their diagnostics, by those of a configuration file; returns the
    /// names of the variables that are not used any more.
    #[cfg(feature = "config-file")]
    pub(super) fn replace_values(
        &mut self,
        file: &str,
        values: BTreeMap<&'static str, (String, Place)>,
    ) -> Vec<&'static str> {
        file.clone_into(&mut self.file);
        let of_opentelemetry = |name: &str| name.starts_with("OTEL_");
        self.diagnostics
            .retain(|diagnostic| !of_opentelemetry(diagnostic.variable()));
        let (mut not_used, own) = std::mem::take(&mut self.values)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(name, _)| of_opentelemetry(name));
        self.values = own;
        not_used.remove("OTEL_CONFIG_FILE");
        for (name, (value, place)) in values {
            self.values.insert(name, value);
            self.places.insert(name, place);
        }
        not_used.into_keys().collect()
    }

    /// Returns the unknown names and the diagnostics, once all settings are read.
    pub(super) fn finish(self) -> (Vec<String>, Vec<Diagnostic>) {
        (self.unknown, self.diagnostics)
    }

    /// Keeps an honoured variable; refuses a refused or misspelt one.
    fn sort(&mut self, name: String, value: OsString) {
        let Some(variable) = find_variable(&name) else {
            return self.sort_unknown(name);
        };
        let Ok(value) = value.into_string() else {
            let diagnostic = Diagnostic::of_name(&name, None, "the value is not UTF-8");
            return self.diagnostics.push(diagnostic);
        };
        match variable.status {
            Status::Honoured => {
                self.values.insert(variable.name, value);
            }
            Status::Refused(reason) => {
                let diagnostic = Diagnostic::of_name(&name, Some(&value), reason);
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// The value of an unknown variable is never shown: the name may be a misspelt one of a secret.
    fn sort_unknown(&mut self, name: String) {
        match nearest_variable(&name) {
            Some(meant) => {
                let whose = match name.starts_with(OWN_PREFIX) {
                    true => "RusToK Telemetry",
                    false => "OpenTelemetry",
                };
                let why = format!("not a variable of {whose}; did you mean {meant}?");
                self.diagnostics.push(Diagnostic::of_name(&name, None, why));
            }
            None => self.unknown.push(name),
        }
    }
}

/// The prefix of this library's own variables.
const OWN_PREFIX: &str = "RUSTOK_TELEMETRY_";

/// Whether this library reads variables of this name.
fn is_ours(name: &str) -> bool {
    name.starts_with("OTEL_") || name.starts_with(OWN_PREFIX) || name == LOG_FILTER
}
