//! Settings of log records: exporter and batches.

use super::batch::{self, BatchConfig};
use super::choice::{Choice, choice};
use super::env::Reader;
use super::error::Problem;
use super::otlp::{OtlpConfig, Signal};
use super::setting::Setting;

/// Settings of log records. They don't touch the log lines on standard error.
#[derive(Debug, Clone, PartialEq)]
pub struct LogsConfig {
    /// Where log records go.
    pub exporter: Setting<LogsExporter>,
    /// How log records are gathered into batches.
    pub batch: BatchConfig,
    /// How log records are sent.
    pub otlp: OtlpConfig,
}

impl LogsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            exporter: reader.setting(
                "OTEL_LOGS_EXPORTER",
                LogsExporter::None,
                LogsExporter::parse,
            ),
            batch: BatchConfig::read(reader, &batch::LOG_RECORDS),
            otlp: OtlpConfig::read(reader, Signal::Logs),
        }
    }

    /// What is wrong in values set in code.
    pub(super) fn problems(&self) -> Vec<Problem> {
        self.batch.problems(&batch::LOG_RECORDS)
    }

    /// Puts the specification's default in the place of each value that cannot be used.
    pub(super) fn mend(&mut self) {
        self.batch.mend(&batch::LOG_RECORDS);
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
    /// Nowhere.
    None,
}

choice!(LogsExporter {
    accepted { "otlp" => Otlp, "none" => None }
    refused {
        "console" => CONSOLE,
        "logging" => CONSOLE,
        "otlp/stdout" => CONSOLE,
    }
});

const CONSOLE: &str = "log lines are on standard error in any case";
