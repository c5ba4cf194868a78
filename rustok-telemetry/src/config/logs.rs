//! Settings of log records.

use super::choice::{Choice, choice};
use super::env::Reader;
use super::setting::Setting;

/// Settings of log records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsConfig {
    /// Where log records go.
    pub exporter: Setting<LogsExporter>,
}

impl LogsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let exporter = reader.setting(
            "OTEL_LOGS_EXPORTER",
            LogsExporter::None,
            LogsExporter::parse,
        );
        Self { exporter }
    }
}

/// Where log records go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogsExporter {
    /// Nowhere.
    None,
}

choice!(LogsExporter {
    accepted { "none" => None }
    refused {
        "otlp" => "log records are not sent by OTLP yet",
        "console" => NO_CONSOLE,
        "logging" => NO_CONSOLE,
        "otlp/stdout" => NO_CONSOLE,
    }
});

const NO_CONSOLE: &str = "there is no exporter of log records to the console";
