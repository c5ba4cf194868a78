//! The only reader of `OTEL_*` and `RUSTOK_TELEMETRY_*` variables: collects them, and refuses by name what cannot be
//! honoured.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::error::Diagnostic;
use super::setting::{Setting, Source};
use super::variables::{LOG_FILTER, Status, find_variable, nearest_variable};
use super::views::View;

/// The variables of this process.
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

/// The variables that are set, and the problems found so far.
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
    /// Keeps what is [ours to read](is_ours) and not empty; an empty variable is an unset one.
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

    /// The setting of the variable `name`, or `default` when it is unset or wrong.
    pub(super) fn setting<T>(
        &mut self,
        name: &'static str,
        default: T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Setting<T> {
        self.first_of([name], default, |_, text| parse(text))
    }

    /// The setting of the first of `names` that is set. The others are checked too, since a wrong
    /// value is wrong even where another one wins.
    pub(super) fn first_of<T, const N: usize>(
        &mut self,
        names: [&'static str; N],
        default: T,
        parse: impl Fn(&'static str, &str) -> Result<T, String>,
    ) -> Setting<T> {
        let mut found = None;
        for name in names {
            if let Some(value) = self.parsed(name, |text| parse(name, text)) {
                let source = match self.places.get(name) {
                    Some(place) => Source::File { line: place.line },
                    None => Source::Environment(name),
                };
                found.get_or_insert(Setting { value, source });
            }
        }
        found.unwrap_or_else(|| Setting::default_value(default))
    }

    /// The value of a variable that is set.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether a problem with this variable's value was found already.
    pub(super) fn has_failed(&self, name: &str) -> bool {
        self.failed.contains(name)
    }

    /// Notes that the value of a variable cannot be used. The first problem of a variable counts.
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

    /// The views, of which no variable tells.
    pub(super) fn take_views(&mut self) -> Setting<Vec<View>> {
        let views = self.views.take();
        views.unwrap_or_else(|| Setting::default_value(Vec::new()))
    }

    /// Notes what is wrong in the configuration file itself.
    #[cfg(feature = "config-file")]
    pub(super) fn refuse_place(&mut self, place: Place, why: String) {
        let diagnostic = Diagnostic::of_name("", None, why);
        self.diagnostics
            .push(diagnostic.at(&self.file, place.line, &place.path));
    }

    /// Takes the values of a configuration file in place of all that were collected, problems included; gives the
    /// names of the variables that don't count any more.
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

    /// Names that nobody here knows. They are left alone, but shown in the report.
    pub(super) fn take_unknown(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unknown)
    }

    /// What was found, once all settings are read.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.values.get(name)?) {
            Ok(value) => Some(value),
            Err(why) => {
                self.refuse(name, why);
                None
            }
        }
    }

    /// Puts one variable where it belongs: honoured, refused, a slip of the pen, or not ours.
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

    /// The value of an unknown variable is never shown: it may be a slip for one that holds secrets.
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

/// What the library's own variables begin with.
const OWN_PREFIX: &str = "RUSTOK_TELEMETRY_";

/// Whether a variable is one that this library answers for.
fn is_ours(name: &str) -> bool {
    name.starts_with("OTEL_") || name.starts_with(OWN_PREFIX) || name == LOG_FILTER
}
