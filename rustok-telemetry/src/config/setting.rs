//! A setting: a value and its source.

use std::fmt;

/// A setting: a value and its source.
///
/// ```
/// use rustok_telemetry::config::{Source, TelemetryConfig};
///
/// let config = TelemetryConfig::from_vars([("OTEL_SDK_DISABLED", "true")])?;
/// assert!(config.disabled.value);
/// assert_eq!(config.disabled.source, Source::Environment("OTEL_SDK_DISABLED"));
/// # Ok::<(), rustok_telemetry::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Where the value came from.
    pub source: Source,
}

impl<T> Setting<T> {
    /// Returns a setting with its default value.
    pub fn default_value(value: T) -> Self {
        let source = Source::Default;
        Self { value, source }
    }

    /// Sets the value from code, which overrides the environment.
    pub fn set(&mut self, value: T) {
        self.value = value;
        self.source = Source::Code;
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The default of the setting.
    Default,
    /// The environment variable of this name.
    Environment(&'static str),
    /// A line of the configuration file.
    File {
        /// The line number, from 1.
        line: u32,
    },
    /// The program, with [`Setting::set`].
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
