//! The error of a configuration, with all its diagnostics.

use std::fmt;

use super::variables::{Privacy, find_variable, position};
use super::{Source, env::Place};

/// Implements `Debug` by `Display`, so that an error returned from `main` prints its message.
macro_rules! debug_is_display {
    ($($error:ty),+) => {$(
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )+};
}
pub(crate) use debug_is_display;

/// All diagnostics of a configuration.
///
/// Its text has one line per diagnostic, and a heading if there are several:
///
/// ```text
/// 2 errors in the configuration:
/// OTEL_TRACES_SAMPLER_ARG=10: not between 0 and 1. Allowed: a number from 0 to 1, such as 0.1
/// OTEL_METRIC_EXPORT_INTERVAL=0: …
/// ```
///
/// `Debug` is the same text, as for [`InitError`](crate::InitError).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", text(diagnostics))]
pub struct ConfigError {
    diagnostics: Vec<Diagnostic>,
}

debug_is_display!(ConfigError);

impl ConfigError {
    /// Returns the diagnostics, in the order of the table of variables. There is at least one.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns an error if there are diagnostics.
    pub(super) fn check(mut diagnostics: Vec<Diagnostic>) -> Result<(), Self> {
        if diagnostics.is_empty() {
            return Ok(());
        }
        sort(&mut diagnostics);
        Err(Self { diagnostics })
    }
}

/// An error in a configuration: the variable, its value, what is wrong, and the accepted values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    variable: String,
    value: Option<String>,
    why: String,
    allowed: Option<&'static str>,
    /// The line in the configuration file; 0 outside a file.
    line: u32,
}

impl Diagnostic {
    /// Returns the name of the environment variable. For a value set in code, it is the variable that the code
    /// overrides, or the method of [`Builder`](crate::Builder) if there is none; for a value of a configuration file,
    /// the file, the line and the keys.
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// Returns the refused value, with secrets masked; `None` if it is not shown.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Returns what is wrong.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Returns the accepted values in words, if the variable has any.
    pub fn allowed(&self) -> Option<&str> {
        self.allowed
    }

    /// Returns the diagnostic of a variable's value, which it masks according to the table of variables.
    pub(super) fn of_value(name: &str, value: &str, why: impl Into<String>) -> Self {
        let variable = find_variable(name);
        let privacy = variable.map_or(Privacy::Secret, |variable| variable.privacy);
        Self {
            variable: name.to_owned(),
            value: Some(privacy.show(value)),
            why: why.into(),
            allowed: variable.map(|variable| variable.allowed),
            line: 0,
        }
    }

    /// Returns the diagnostic of a variable that must not be set at all.
    pub(super) fn of_name(name: &str, value: Option<&str>, why: impl Into<String>) -> Self {
        let shown = Self::of_value(name, value.unwrap_or_default(), why);
        Self {
            value: value.and(shown.value),
            allowed: None,
            ..shown
        }
    }

    /// Returns the diagnostic of a name given to a method of the builder.
    pub(crate) fn of_method(method: &str, value: &str, why: &str) -> Self {
        Self {
            variable: method.to_owned(),
            value: Some(value.escape_debug().to_string()),
            why: why.to_owned(),
            allowed: Some(
                "lower-case words joined by single `_`, beginning with a letter, such as `web_shop`",
            ),
            line: 0,
        }
    }

    /// Returns the diagnostic with its place in a configuration file.
    pub(super) fn at(self, file: &str, Place { line, path }: &Place) -> Self {
        let separator = if path.is_empty() { "" } else { ": " };
        Self {
            variable: format!("{file}:{line}{separator}{path}"),
            line: *line,
            ..self
        }
    }

    /// Returns the diagnostic, with a note if the value was set in code.
    pub(super) fn from(mut self, source: Source) -> Self {
        if source == Source::Code {
            self.why.push_str(" (set in code)");
        }
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.variable)?;
        if let Some(value) = &self.value {
            write!(f, "={value}")?;
        }
        write!(f, ": {}", self.why)?;
        if let Some(allowed) = &self.allowed {
            let end = if self.why.ends_with('?') { "" } else { "." };
            write!(f, "{end} Allowed: {allowed}")?;
        }
        Ok(())
    }
}

/// Sorts diagnostics into the order of the table of variables, and keeps the first one of each variable.
pub(super) fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_cached_key(|diagnostic| (diagnostic.line, position(&diagnostic.variable)));
    diagnostics.dedup_by(|later, first| {
        later == first || later.variable == first.variable && later.line == 0
    });
}

fn text(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<_> = diagnostics.iter().map(Diagnostic::to_string).collect();
    match lines.len() {
        1 => lines.concat(),
        count => format!("{count} errors in the configuration:\n{}", lines.join("\n")),
    }
}
