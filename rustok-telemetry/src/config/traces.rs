//! Settings of traces: exporter, sampler, batches and limits.

use super::batch::{self, BatchConfig};
use super::choice::{Choice, choice};
use super::env::Reader;
use super::error::Diagnostic;
use super::limits::SpanLimitsConfig;
use super::otlp::{OtlpConfig, Signal};
use super::sampler::{Sampler, mend_sampler, read_sampler, sampler_problem};
use super::setting::Setting;
use super::setting_diagnostic::SettingDiagnostic;

/// Settings of traces.
#[derive(Debug, Clone, PartialEq)]
pub struct TracesConfig {
    /// Where spans go; with none, span metrics and the propagation of context go on.
    pub exporters: Setting<Vec<TracesExporter>>,
    /// Which traces are recorded.
    pub sampler: Setting<Sampler>,
    /// How spans are gathered into batches.
    pub batch: BatchConfig,
    /// How much one span may hold.
    pub limits: SpanLimitsConfig,
    /// How spans are sent.
    pub otlp: OtlpConfig,
}

impl TracesConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            exporters: reader.setting(
                "OTEL_TRACES_EXPORTER",
                vec![TracesExporter::Otlp],
                TracesExporter::parse_list,
            ),
            sampler: read_sampler(reader),
            batch: BatchConfig::read(reader, &batch::SPANS),
            limits: SpanLimitsConfig::read(reader),
            otlp: OtlpConfig::read(reader, Signal::Traces),
        }
    }

    /// What is wrong in values set in code.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let sampler = sampler_problem(&self.sampler).into_iter();
        let otlp = self
            .otlp
            .setting_diagnostics()
            .into_iter()
            .map(SettingDiagnostic::diagnostic);
        sampler
            .chain(self.batch.diagnostics(&batch::SPANS))
            .chain(otlp)
            .collect()
    }

    /// Puts the specification's default in the place of each value that cannot be used.
    pub(super) fn apply_defaults(&mut self) {
        self.otlp.apply_defaults();
        mend_sampler(&mut self.sampler);
        self.batch.apply_defaults(&batch::SPANS);
    }
}

/// Where spans go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TracesExporter {
    /// By OTLP.
    Otlp,
    /// Standard output, one line of JSON for each span as soon as it has ended; the thread that ends it waits for the
    /// output. For development.
    Console,
}

choice!(TracesExporter {
    accepted { "otlp" => Otlp, "console" => Console }
    refused {
        "zipkin" => "send OTLP to a Collector, which can forward to Zipkin",
        "logging" => "its name is `console`",
        "otlp/stdout" => "use `console`",
        "jaeger" => "Jaeger takes OTLP: use `otlp`",
    }
});
