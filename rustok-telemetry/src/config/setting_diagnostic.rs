//! A setting that cannot be used, found after all were read.

use std::fmt::Display;

use super::env::Reader;
use super::error::Diagnostic;
use super::setting::{Setting, Source};

/// A setting that cannot be used: whose value, and why.
pub(super) struct SettingDiagnostic {
    /// The variable that would set it.
    variable: &'static str,
    source: Source,
    value: String,
    why: String,
}

impl SettingDiagnostic {
    /// The fault of `setting`, if there is a reason for one.
    pub(super) fn of<T: Display>(
        variable: &'static str,
        setting: &Setting<T>,
        why: Option<impl Into<String>>,
    ) -> Option<Self> {
        let (value, source) = (setting.value.to_string(), setting.source);
        let why = why?.into();
        Some(Self {
            variable,
            source,
            value,
            why,
        })
    }

    /// Tells the reader, which knows the value as it was written.
    pub(super) fn refuse(self, reader: &mut Reader) {
        match self.source {
            Source::Environment(name) => reader.refuse(name, self.why),
            // A file's values are kept under the names of the signals' own variables.
            Source::File { .. } => reader.refuse(self.variable, self.why),
            Source::Default | Source::Code => {}
        }
    }

    /// As a problem of a value that was set in code, or has become one by other values that were.
    pub(super) fn diagnostic(self) -> Diagnostic {
        let name = match self.source {
            Source::Environment(name) => name,
            _ => self.variable,
        };
        Diagnostic::of_value(name, &self.value, self.why).from(self.source)
    }
}
