//! `RUST_LOG`: which events become log lines and log records.

use tracing_subscriber::EnvFilter;

use super::telemetry::TelemetryConfig;

pub(super) const DEFAULT: &str = "info";

/// Targets of this crate and of the OpenTelemetry crates.
const TELEMETRY_TARGETS: [&str; 2] = ["rustok_telemetry", "opentelemetry"];

/// Checks directives. Blank ones are the default.
pub(super) fn parse_directives(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Ok(DEFAULT.to_owned());
    }
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
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
