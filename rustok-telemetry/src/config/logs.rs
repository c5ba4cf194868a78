//! Settings of log records.

use std::time::Duration;

use super::{BatchConfig, LogLimitsConfig, OtlpConfig, Setting, Signal, choice, settings};

settings! {
    /// Settings of log records. They don't touch the log lines on standard error.
    pub struct LogsConfig() {
        /// Where log records are exported.
        exporters: Setting<Vec<LogsExporter>> = setting("exporters", ["OTEL_LOGS_EXPORTER"], Vec::new()),
        /// How log records are batched.
        batch: BatchConfig = by("batch", BatchConfig::visit, "BLRP", Duration::from_secs(1)),
        /// Limits of one log record.
        limits: LogLimitsConfig = by("limits", LogLimitsConfig::visit),
        /// How OTLP sends log records.
        otlp: OtlpConfig = by("otlp", OtlpConfig::visit, Signal::Logs),
    }
}

choice! {
    /// Where log records are exported, besides standard error.
    ///
    /// The specification's default is `otlp`. Here it is `none`, on purpose: the lines are on standard error already, where
    /// every platform collects them, and a Collector without a pipeline for logs would refuse each batch.
    pub enum LogsExporter {
        /// By OTLP.
        "otlp" => Otlp,
        /// Standard output, one line of JSON for each; the thread that logs waits for the output. For development.
        "console" => Console,
    }
    refused { "logging" => "its name is `console`", "otlp/stdout" => "use `console`", }
}
