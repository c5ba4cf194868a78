//! All metrics as text in Prometheus' format, for `/api/_health/metrics`.

use std::sync::OnceLock;

use prometheus::{Encoder, Registry, TextEncoder};

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
    let registry = REGISTRY.get().ok_or(TextError::NotStarted)?;
    let families = registry.gather();
    // `target_info` is always there; without it the reader has been shut down in this moment.
    if families.is_empty() {
        return Err(TextError::ShutDown);
    }
    let mut body = Vec::new();
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
