//! The only reader of `OTEL_*` variables: collects them, and refuses by name what cannot be honoured.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::error::Problem;
use super::setting::{Setting, Source};
use super::variables::{Status, find_variable, nearest_variable};

/// The variables of this process.
pub(super) fn process_variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// The value of a variable of this process, for what others read of the environment by themselves.
pub(super) fn process_variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    (!value.is_empty()).then_some(value)
}

/// The `OTEL_*` variables that are set, and the problems found so far.
#[derive(Default)]
pub(super) struct Reader {
    values: BTreeMap<&'static str, String>,
    unknown: Vec<String>,
    problems: Vec<Problem>,
    failed: BTreeSet<&'static str>,
}

impl Reader {
    /// Keeps what starts with `OTEL_` and is not empty; an empty variable is an unset one.
    pub(super) fn collect<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let mut reader = Self::default();
        let variables: BTreeMap<OsString, OsString> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        for (name, value) in variables {
            if let Ok(name) = name.into_string()
                && name.starts_with("OTEL_")
            {
                reader.sort(name, value);
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
                found.get_or_insert(Setting {
                    value,
                    source: Source::Environment(name),
                });
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
            self.problems.push(Problem::of_value(name, value, why));
        }
    }

    /// Names that nobody here knows. They are left alone, but shown in the report.
    pub(super) fn take_unknown(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unknown)
    }

    /// What was found, once all settings are read.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
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
            let problem = Problem::of_name(&name, None, "the value is not UTF-8");
            return self.problems.push(problem);
        };
        match variable.status {
            Status::Honoured => {
                self.values.insert(variable.name, value);
            }
            Status::Refused(reason) => {
                let why = format!("not supported by this version; remove it. {reason}");
                self.problems
                    .push(Problem::of_name(&name, Some(&value), why));
            }
        }
    }

    /// The value of an unknown variable is never shown: it may be a slip for one that holds secrets.
    fn sort_unknown(&mut self, name: String) {
        match nearest_variable(&name) {
            Some(meant) => {
                let why = format!("not a variable of OpenTelemetry; did you mean {meant}?");
                self.problems.push(Problem::of_name(&name, None, why));
            }
            None => self.unknown.push(name),
        }
    }
}
