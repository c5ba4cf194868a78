//! Settings of traces: exporter, sampler, batches and limits.

use super::batch::{self, BatchConfig};
use super::choice::{Choice, choice};
use super::env::Reader;
use super::error::Problem;
use super::otlp::{OtlpConfig, Signal};
use super::sampler::{Sampler, mend_sampler, read_sampler, sampler_problem};
use super::setting::Setting;
use super::span_limits::SpanLimitsConfig;

/// Settings of traces.
#[derive(Debug, Clone, PartialEq)]
pub struct TracesConfig {
    /// Where spans go.
    pub exporter: Setting<TracesExporter>,
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
            exporter: reader.setting(
                "OTEL_TRACES_EXPORTER",
                TracesExporter::Otlp,
                TracesExporter::parse,
            ),
            sampler: read_sampler(reader),
            batch: BatchConfig::read(reader, &batch::SPANS),
            limits: SpanLimitsConfig::read(reader),
            otlp: OtlpConfig::read(reader, Signal::Traces),
        }
    }

    /// What is wrong in values set in code.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let sampler = sampler_problem(&self.sampler).into_iter();
        sampler.chain(self.batch.problems(&batch::SPANS)).collect()
    }

    /// Puts the specification's default in the place of each value that cannot be used.
    pub(super) fn mend(&mut self) {
        mend_sampler(&mut self.sampler);
        self.batch.mend(&batch::SPANS);
    }
}

/// Where spans go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TracesExporter {
    /// By OTLP.
    Otlp,
    /// Nowhere. Span metrics and the propagation of context go on.
    None,
}

choice!(TracesExporter {
    accepted { "otlp" => Otlp, "none" => None }
    refused {
        "zipkin" => "send OTLP to a Collector, which can forward to Zipkin",
        "console" => NO_CONSOLE,
        "logging" => NO_CONSOLE,
        "otlp/stdout" => NO_CONSOLE,
        "jaeger" => "Jaeger takes OTLP: use `otlp`",
    }
});

const NO_CONSOLE: &str = "there is no exporter to the console";
