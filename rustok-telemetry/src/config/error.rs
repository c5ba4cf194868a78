//! What is wrong with a configuration: all of it, in one error.

use std::fmt;

use super::setting::Source;
use super::variables::{Privacy, find_variable};

/// Writes `Debug` for errors whose text is for people, wherever Rust prints it.
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

/// Everything that is wrong with a configuration.
///
/// Its text has one line per problem, and a heading if there are several:
///
/// ```text
/// 2 errors in the configuration:
/// OTEL_TRACES_SAMPLER_ARG=10: not between 0 and 1. Allowed: a number from 0 to 1, such as 0.1
/// OTEL_METRIC_EXPORT_INTERVAL=0: …
/// ```
///
/// `Debug` is the same text, as for [`InitError`](crate::InitError).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", heading(diagnostics.len()), lines(diagnostics))]
pub struct ConfigError {
    diagnostics: Vec<Diagnostic>,
}

debug_is_display!(ConfigError);

impl ConfigError {
    /// The problems, in the order of the table of variables. There is at least one.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// `Err` with these problems, or `Ok` when there are none.
    pub(super) fn check(mut diagnostics: Vec<Diagnostic>) -> Result<(), Self> {
        if diagnostics.is_empty() {
            return Ok(());
        }
        sort(&mut diagnostics);
        Err(Self { diagnostics })
    }
}

/// One thing that is wrong: which variable, its value, why, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    variable: String,
    value: Option<String>,
    why: String,
    allowed: Option<String>,
    /// The line in the configuration file; 0 for what is in no file.
    line: u32,
}

impl Diagnostic {
    /// The environment variable's name. For a value set in code, the variable that it overrides; for one of a
    /// configuration file, the file, the line and the keys.
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// The value that was refused. Secrets are masked; `None` when it cannot be shown.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What is wrong with it.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What would be right, when that can be said in general.
    pub fn allowed(&self) -> Option<&str> {
        self.allowed.as_deref()
    }

    /// A value of a known variable that cannot be used. Masks it as the variable asks.
    pub(super) fn of_value(name: &str, value: &str, why: impl Into<String>) -> Self {
        let variable = find_variable(name);
        let privacy = variable.map_or(Privacy::Secret, |variable| variable.privacy);
        Self {
            variable: name.to_owned(),
            value: Some(privacy.show(value)),
            why: why.into(),
            allowed: variable.map(|variable| variable.allowed.to_owned()),
            line: 0,
        }
    }

    /// A variable that should not be there at all. Its value is not shown when `value` is `None`.
    pub(super) fn of_name(name: &str, value: Option<&str>, why: impl Into<String>) -> Self {
        let shown = Self::of_value(name, value.unwrap_or_default(), why);
        Self {
            value: value.and(shown.value),
            variable: shown.variable,
            why: shown.why,
            allowed: None,
            line: 0,
        }
    }

    /// The same problem, of a value that stands in a configuration file.
    pub(super) fn at(self, file: &str, line: u32, path: &str) -> Self {
        let place = if path.is_empty() {
            format!("{file}:{line}")
        } else {
            format!("{file}:{line}: {path}")
        };
        Self {
            variable: place,
            line,
            ..self
        }
    }

    /// The same problem, saying so when the value was set in code.
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
            write!(f, ". Allowed: {allowed}")?;
        }
        Ok(())
    }
}

/// Puts problems into the order of the table of variables. The first problem of a variable counts.
pub(super) fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_cached_key(|diagnostic| {
        (
            diagnostic.line,
            super::variables::position(&diagnostic.variable),
        )
    });
    diagnostics.dedup_by(|later, first| later.variable == first.variable && later.line == 0);
}

fn heading(count: usize) -> String {
    match count {
        1 => String::new(),
        _ => format!("{count} errors in the configuration:\n"),
    }
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(Diagnostic::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
