//! Settings that health shows.

use std::sync::OnceLock;

use crate::config::{
    Diagnostic, LogsExporter, MetricsExporter, OtlpConfig, TelemetryConfig, TracesExporter,
};

/// The endpoint of each signal that is exported by OTLP, and the tolerated diagnostics.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) traces: Option<String>,
    pub(super) metrics: Option<String>,
    pub(super) logs: Option<String>,
    pub(super) diagnostics: Vec<String>,
}

/// Set once, when telemetry has started.
pub(super) static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// Keeps the settings that health shows.
pub(crate) fn remember(config: &TelemetryConfig) {
    let endpoint = |otlp: &OtlpConfig, exports: bool| {
        (exports && !config.disabled.value).then(|| otlp.shown_url())
    };
    let (traces, metrics, logs) = (&config.traces, &config.metrics, &config.logs);
    let traces_otlp = traces.exporters.value.contains(&TracesExporter::Otlp);
    let metrics_otlp = metrics.exporters.value.contains(&MetricsExporter::Otlp);
    let logs_otlp = logs.exporters.value.contains(&LogsExporter::Otlp);
    SETTINGS.get_or_init(|| Settings {
        traces: endpoint(&traces.otlp, traces_otlp),
        metrics: endpoint(&metrics.otlp, metrics_otlp),
        logs: endpoint(&logs.otlp, logs_otlp),
        diagnostics: config
            .diagnostics
            .iter()
            .map(Diagnostic::to_string)
            .collect(),
    });
}
