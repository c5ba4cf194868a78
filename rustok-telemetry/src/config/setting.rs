//! A value together with where it came from.

use std::fmt;
use std::ops::Deref;

/// A setting: its value, and where the value came from.
///
/// It dereferences to the value, so `*config.disabled` and `config.propagators.iter()` work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Where it came from.
    pub source: Source,
}

impl<T> Setting<T> {
    /// A setting that nobody set.
    pub fn default_value(value: T) -> Self {
        Self {
            value,
            source: Source::Default,
        }
    }

    /// Overrides the value from code, which wins over the environment.
    pub fn set(&mut self, value: T) {
        self.value = value;
        self.source = Source::Code;
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The environment variable of this name.
    Environment(&'static str),
    /// A line of the configuration file.
    File {
        /// Which, from 1.
        line: u32,
    },
    /// A call in the program.
    Code,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Environment(name) => f.write_str(name),
            Self::File { line } => write!(f, "configuration file, line {line}"),
            Self::Code => f.write_str("code"),
        }
    }
}
