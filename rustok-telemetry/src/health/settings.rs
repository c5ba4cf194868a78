//! What the configuration said at the start, as far as health tells it.

use std::sync::OnceLock;

use crate::config::{
    Diagnostic, LogsExporter, MetricsExporter, OtlpConfig, TelemetryConfig, TracesExporter,
};

/// Where each signal is sent, if it is, and what was tolerated.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) traces: Option<String>,
    pub(super) metrics: Option<String>,
    pub(super) logs: Option<String>,
    pub(super) diagnostics: Vec<String>,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// Keeps what health tells of the configuration. Called once, when telemetry has started.
pub(crate) fn remember(config: &TelemetryConfig) {
    let sent = |otlp: &OtlpConfig, wanted: bool| {
        (wanted && !config.disabled.value).then(|| otlp.shown_url())
    };
    let (traces, metrics, logs) = (&config.traces, &config.metrics, &config.logs);
    SETTINGS.get_or_init(|| Settings {
        traces: sent(
            &traces.otlp,
            traces.exporters.value.contains(&TracesExporter::Otlp),
        ),
        metrics: sent(
            &metrics.otlp,
            metrics.exporters.value.contains(&MetricsExporter::Otlp),
        ),
        logs: sent(
            &logs.otlp,
            logs.exporters.value.contains(&LogsExporter::Otlp),
        ),
        diagnostics: config
            .diagnostics
            .iter()
            .map(Diagnostic::to_string)
            .collect(),
    });
}

pub(super) fn recall() -> Option<&'static Settings> {
    SETTINGS.get()
}
