//! All metrics as text in Prometheus' format, for `/api/_health/metrics`.

use std::{fmt::Write, sync::OnceLock};

use prometheus::{Encoder, Registry, TextEncoder};

use super::{
    Declaration,
    distribution::Distribution,
    point::{Point, VisitSeries},
    registered::ALL,
};
use crate::lifecycle::{self, Stage};

/// The text and its content type, for any web framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusText {
    /// Value of the response's `Content-Type` header.
    pub content_type: &'static str,
    /// The response's body.
    pub body: Vec<u8>,
}

/// Why there is no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Telemetry has not been started.
    #[error("telemetry has not been started: call rustok_telemetry::init() first")]
    NotStarted,
    /// Telemetry is switched off.
    #[error("telemetry is switched off by OTEL_SDK_DISABLED=true")]
    Disabled,
    /// Telemetry has been shut down, and its metrics with it.
    #[error("telemetry has been shut down")]
    ShutDown,
    /// The metrics could not be written as text.
    #[error("the metrics cannot be written as text: {0}")]
    Encode(String),
}

/// All metrics of this process in Prometheus' text format, version 0.0.4.
///
/// # Errors
///
/// When telemetry is not running; after shutdown in particular, where an empty text would look like success.
///
/// ```
/// let text = rustok_telemetry::prometheus_text();
/// assert_eq!(text, Err(rustok_telemetry::TextError::NotStarted));
/// ```
pub fn prometheus_text() -> Result<PrometheusText, TextError> {
    match lifecycle::stage() {
        Stage::Running | Stage::Stopping => {}
        Stage::NotStarted => return Err(TextError::NotStarted),
        Stage::Disabled => return Err(TextError::Disabled),
        Stage::ShutDown => return Err(TextError::ShutDown),
    }
    let mut text = Text::default();
    let registry = REGISTRY.get().ok_or(TextError::NotStarted)?;
    let families = registry.gather();
    // `target_info` is always there; without it the reader has been shut down in this moment.
    if families.is_empty() {
        return Err(TextError::ShutDown);
    }
    for metric in ALL {
        text.write(metric.declaration(), |visit| metric.read(visit));
    }
    let mut body = text.into_string().into_bytes();
    TextEncoder::new()
        .encode(&families, &mut body)
        .map_err(|error| TextError::Encode(error.to_string()))?;
    Ok(PrometheusText {
        content_type: prometheus::TEXT_FORMAT,
        body,
    })
}

static REGISTRY: OnceLock<Registry> = OnceLock::new();

/// Keeps the registry that the text is read from.
pub(crate) fn serve(registry: Registry) {
    // A second registry cannot come: `init` succeeds once in a process.
    let _ = REGISTRY.set(registry);
}

/// Text that is being put together.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    /// Writes a metric that we keep, with each series that is read.
    pub(crate) fn write(
        &mut self,
        declaration: &'static Declaration,
        read: impl FnOnce(VisitSeries<'_>),
    ) {
        let (name, text) = (declaration.name, &mut self.0);
        let mut empty = true;
        read(&mut |labels, point| {
            if std::mem::take(&mut empty) {
                let kind = declaration.kind.prometheus_type();
                let help = declaration.help.replace('\\', "\\\\").replace('\n', "\\n");
                let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            }
            let labels = labels.text();
            match point {
                Point::U64(number) => sample(text, name, &labels, number as f64),
                Point::I64(number) => sample(text, name, &labels, number as f64),
                Point::F64(number) => sample(text, name, &labels, number),
                Point::Histogram(all) => histogram(text, name, &labels, &all),
            }
        });
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

fn histogram(text: &mut String, name: &str, labels: &str, all: &Distribution) {
    let comma = if labels.is_empty() { "" } else { "," };
    let bounds = all.boundaries.iter().copied().chain([f64::INFINITY]);
    let mut count = 0;
    for (bound, own) in bounds.zip(&all.counts) {
        count += own;
        let bound = match bound.is_finite() {
            true => bound.to_string(),
            false => "+Inf".to_owned(),
        };
        let _ = writeln!(
            text,
            "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}"
        );
    }
    sample(text, &format!("{name}_sum"), labels, all.sum);
    sample(text, &format!("{name}_count"), labels, count as f64);
}

fn sample(text: &mut String, name: &str, labels: &str, value: f64) {
    let _ = match labels.is_empty() {
        true => writeln!(text, "{name} {value}"),
        false => writeln!(text, "{name}{{{labels}}} {value}"),
    };
}
