//! Settings of log records: exporter and batches.

use super::batch::{self, BatchConfig};
use super::choice::{Choice, choice};
use super::env::Reader;
use super::error::Diagnostic;
use super::limits::LogLimitsConfig;
use super::otlp::{OtlpConfig, Signal};
use super::setting::Setting;
use super::setting_diagnostic::SettingDiagnostic;

/// Settings of log records. They don't touch the log lines on standard error.
#[derive(Debug, Clone, PartialEq)]
pub struct LogsConfig {
    /// Where log records go.
    pub exporters: Setting<Vec<LogsExporter>>,
    /// How log records are gathered into batches.
    pub batch: BatchConfig,
    /// How much one log record may hold.
    pub limits: LogLimitsConfig,
    /// How log records are sent.
    pub otlp: OtlpConfig,
}

impl LogsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            exporters: reader.setting("OTEL_LOGS_EXPORTER", Vec::new(), LogsExporter::parse_list),
            batch: BatchConfig::read(reader, &batch::LOG_RECORDS),
            limits: LogLimitsConfig::read(reader),
            otlp: OtlpConfig::read(reader, Signal::Logs),
        }
    }

    /// What is wrong in values set in code.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let otlp = self
            .otlp
            .setting_diagnostics()
            .into_iter()
            .map(SettingDiagnostic::diagnostic);
        self.batch
            .diagnostics(&batch::LOG_RECORDS)
            .into_iter()
            .chain(otlp)
            .collect()
    }

    /// Puts the specification's default in the place of each value that cannot be used.
    pub(super) fn apply_defaults(&mut self) {
        self.otlp.apply_defaults();
        self.batch.apply_defaults(&batch::LOG_RECORDS);
    }
}

/// Where log records go, besides standard error.
///
/// The specification's default is `otlp`. Here it is `none`, on purpose: the lines are on standard error already, where
/// every platform collects them, and a Collector without a pipeline for logs would refuse each batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogsExporter {
    /// By OTLP.
    Otlp,
    /// Standard output, one line of JSON for each; the thread that logs waits for the output. For development.
    Console,
}

choice!(LogsExporter {
    accepted { "otlp" => Otlp, "console" => Console }
    refused { "logging" => "its name is `console`", "otlp/stdout" => "use `console`" }
});
