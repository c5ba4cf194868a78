//! `RUST_LOG` and `OTEL_LOG_LEVEL`: which events become log lines and log records.

use tracing_subscriber::EnvFilter;

use super::{choice::choice, telemetry::TelemetryConfig};

pub(super) const DEFAULT: &str = "info";

/// Targets of this crate and of the OpenTelemetry crates.
const TELEMETRY_TARGETS: [&str; 2] = ["rustok_telemetry", "opentelemetry"];

/// Returns the directives, or the default ones for blank text.
pub(super) fn parse_directives(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Ok(DEFAULT.to_owned());
    }
    let parsed = EnvFilter::builder().parse(text);
    parsed
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

impl TelemetryConfig {
    /// Returns the directives of the log filter, with `OTEL_LOG_LEVEL` for the telemetry targets that they don't name.
    pub(crate) fn log_directives(&self) -> String {
        let mut directives = self.log_filter.value.clone();
        if let Some(level) = self.log_level.value {
            for target in TELEMETRY_TARGETS {
                if !self.log_filter.value.contains(target) {
                    directives.push_str(&format!(",{target}={level}"));
                }
            }
        }
        directives
    }
}

/// The level of the log events of this crate and of the OpenTelemetry crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogLevel {
    /// No events.
    Off,
    /// Errors only.
    Error,
    /// Warnings and errors.
    Warn,
    /// Rare events, too.
    Info,
    /// Details for debugging, too.
    Debug,
    /// All events.
    Trace,
}

choice!(LogLevel {
    accepted {
        "off" => Off,
        "error" => Error,
        "warn" => Warn,
        "info" => Info,
        "debug" => Debug,
        "trace" => Trace,
    }
    refused { "none" => "its name is `off`", "warning" => "its name is `warn`" }
});
