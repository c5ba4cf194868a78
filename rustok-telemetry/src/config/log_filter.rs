//! `RUST_LOG` and `OTEL_LOG_LEVEL`: which events become log lines and log records.

use tracing_subscriber::EnvFilter;

use super::{TelemetryConfig, choice};

pub(super) const DEFAULT: &str = "info";

/// Targets of this crate and of the OpenTelemetry crates.
const TELEMETRY_TARGETS: [&str; 2] = ["rustok_telemetry", "opentelemetry"];

/// Returns the directives, or the default ones for blank text.
pub(super) fn parse_directives(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Ok(DEFAULT.to_owned());
    }
    let parsed = EnvFilter::builder().parse(text).map(|_| text.to_owned());
    parsed.map_err(|error| error.to_string())
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

choice! {
    /// The level of the log events of this crate and of the OpenTelemetry crates.
    pub enum LogLevel {
        /// No events.
        "off" => Off,
        /// Errors only.
        "error" => Error,
        /// Warnings and errors.
        "warn" => Warn,
        /// Rare events, too.
        "info" => Info,
        /// Details for debugging, too.
        "debug" => Debug,
        /// All events.
        "trace" => Trace,
    }
    refused { "none" => "its name is `off`", "warning" => "its name is `warn`", }
}
