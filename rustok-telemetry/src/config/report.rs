//! The settings in force, as lines to print.

use std::fmt::{self, Display};

use super::{
    Diagnostic, LogsExporter, MetricsExporter, Mode, OtlpConfig, Source, TelemetryConfig,
    TracesExporter, Visitor, one_line,
};

/// The settings in force: one line each, with its source. Secrets are masked.
///
/// ```
/// let config = rustok_telemetry::config::TelemetryConfig::from_vars([("OTEL_SERVICE_NAME", "shop")])?;
/// assert!(config.report().to_string().contains("service.name = shop (OTEL_SERVICE_NAME)\n"));
/// # Ok::<(), rustok_telemetry::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The settings.
    pub lines: Vec<ReportLine>,
    /// `OTEL_*` variables that are set and unknown to this library.
    pub unknown: Vec<String>,
    /// Errors of variables, which are ignored.
    pub diagnostics: Vec<Diagnostic>,
    /// Settings that are valid, but probably not intended.
    pub warnings: Vec<String>,
}

/// A line of a [`Report`]: one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportLine {
    /// The setting's name, such as `traces.sampler`.
    pub name: String,
    /// Its value, with secrets masked.
    pub value: String,
    /// Where the value came from.
    pub source: Source,
}

impl Report {
    pub(super) fn new(config: &TelemetryConfig) -> Self {
        let mut lines = Vec::new();
        TelemetryConfig::visit(Some(config), &mut Visitor::new(Mode::Report(&mut lines)));
        for (signal, otlp, is_exported) in config.signals() {
            let prefix = format!("{signal}.otlp.");
            let url_name = format!("{prefix}url");
            let first = lines.iter().position(|line| line.name.starts_with(&prefix));
            let url = lines.iter().position(|line| line.name == url_name);
            if let (Some(first), Some(url)) = (first, url) {
                lines[url].value = one_line(&otlp.shown_url());
                lines[first..=url].rotate_right(1);
            }
            // Defaults without effect are omitted.
            let unused = [prefix, format!("{signal}.batch.")];
            lines.retain(|line| {
                let is_unused = unused.iter().any(|prefix| line.name.starts_with(prefix));
                is_exported || !is_unused || line.source != Source::Default
            });
        }
        lines.retain(|line| {
            let is_spool = line.name.starts_with("spool.");
            !is_spool || config.spool.dir.value.is_some() || line.source != Source::Default
        });
        if config.metrics.prometheus_address().is_none() {
            for line in &mut lines {
                if line.name.starts_with("metrics.prometheus.") {
                    "not used: nothing listens".clone_into(&mut line.value);
                }
            }
        }
        Self {
            lines,
            unknown: config.unknown.clone(),
            diagnostics: config.diagnostics.clone(),
            warnings: config.warnings(),
        }
    }
}

impl TelemetryConfig {
    /// Returns each signal with its OTLP settings, and whether OTLP exports it.
    pub(super) fn signals(&self) -> [(&'static str, &OtlpConfig, bool); 3] {
        let (traces, metrics, logs) = (&self.traces, &self.metrics, &self.logs);
        let by_otlp = (
            traces.exporters.value.contains(&TracesExporter::Otlp),
            metrics.exporters.value.contains(&MetricsExporter::Otlp),
            logs.exporters.value.contains(&LogsExporter::Otlp),
        );
        [
            ("traces", &traces.otlp, by_otlp.0),
            ("metrics", &metrics.otlp, by_otlp.1),
            ("logs", &logs.otlp, by_otlp.2),
        ]
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{} = {} ({})", line.name, line.value, line.source)?;
        }
        for name in &self.unknown {
            writeln!(f, "unknown: {} is set, and left alone", one_line(name))?;
        }
        for diagnostic in &self.diagnostics {
            writeln!(f, "error: {diagnostic}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}
