//! All metrics as text in Prometheus' format, for `/api/_health/metrics`.

use std::{
    io::Write,
    sync::{Mutex, OnceLock, PoisonError},
};

use flate2::{Compression, write::GzEncoder};
use opentelemetry_sdk::metrics::{data::ResourceMetrics, reader::MetricReader};

use super::{accept_encoding, encoder::Exposition, reader::TextReader};
use crate::metrics::registered::ALL;
use crate::{
    config::debug_is_display,
    lifecycle::{self, Stage},
};

/// The text and its content type, for any web framework.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrometheusText {
    /// Value of the response's `Content-Type` header.
    pub content_type: &'static str,
    /// Value of the response's `Content-Encoding` header, which it has only if the text is compressed.
    pub content_encoding: Option<&'static str>,
    /// The response's body.
    pub body: Vec<u8>,
}

impl PrometheusText {
    /// Compresses the text if a request with this `Accept-Encoding` header asks for it.
    ///
    /// A header that is missing is an empty one. The response should have `Vary: Accept-Encoding`, compressed or not.
    /// It takes a millisecond or two for each megabyte: call it where the request may block.
    ///
    /// ```
    /// use http::{HeaderMap, Response, header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY}};
    /// use rustok_telemetry::TextError;
    ///
    /// fn metrics(request: &HeaderMap) -> Result<Response<Vec<u8>>, TextError> {
    ///     let accepted = request.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    ///     let text = rustok_telemetry::prometheus_text()?.encoded_for(accepted.unwrap_or_default());
    ///     let mut response = Response::builder()
    ///         .header(CONTENT_TYPE, text.content_type)
    ///         .header(VARY, "Accept-Encoding");
    ///     if let Some(encoding) = text.content_encoding {
    ///         response = response.header(CONTENT_ENCODING, encoding);
    ///     }
    ///     Ok(response.body(text.body).expect("valid headers"))
    /// }
    /// # assert!(metrics(&HeaderMap::new()).is_err());
    /// ```
    #[must_use]
    pub fn encoded_for(self, accept_encoding: &str) -> Self {
        match accept_encoding::prefers_gzip(accept_encoding) {
            true => self.gzip(),
            false => self,
        }
    }

    /// Compresses the text by gzip, unless it is compressed.
    #[must_use]
    pub fn gzip(self) -> Self {
        if self.content_encoding.is_some() {
            return self;
        }
        // The text becomes a twentieth of its length. The slowest level makes a thirtieth, in six times the time.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        match encoder
            .write_all(&self.body)
            .and_then(|()| encoder.finish())
        {
            Ok(body) => Self {
                content_encoding: Some("gzip"),
                body,
                ..self
            },
            // Writing to memory does not fail; if it did, the text as it is would be right.
            Err(_) => self,
        }
    }
}

/// Why there is no text.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
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
    /// The OpenTelemetry SDK cannot collect.
    #[error(
        "the OpenTelemetry SDK cannot collect its metrics: {0}; look for a panic in the callback of an observable instrument"
    )]
    Collect(String),
}

debug_is_display!(TextError);

/// All metrics of this process in Prometheus' text format, version 0.0.4: those of the catalogue, and those of the global
/// meters of others.
///
/// # Names that collide
///
/// Of several metrics that have the same name in Prometheus, one comes first: that of the catalogue, else that of the scope
/// whose name comes first. The others are in the text if they have the same type, and of them only the label sets that are
/// not there yet. What is left out is logged once. Exponential histograms are not in the text.
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
    let scrapes = SCRAPES.get().ok_or(TextError::NotStarted)?;
    let body = scrapes.text()?.into_bytes();
    Ok(PrometheusText {
        content_type: "text/plain; version=0.0.4",
        content_encoding: None,
        body,
    })
}

static SCRAPES: OnceLock<Scrapes> = OnceLock::new();

/// Keeps the reader that the text is read from.
pub(crate) fn serve(reader: TextReader) {
    // A second reader cannot come: `init` succeeds once in a process.
    let _ = SCRAPES.set(Scrapes {
        reader,
        state: Mutex::default(),
    });
}

/// Makes one text after the other.
struct Scrapes {
    reader: TextReader,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Memory that the SDK writes what it collects into.
    collected: ResourceMetrics,
    exposition: Exposition,
}

impl Scrapes {
    fn text(&self) -> Result<String, TextError> {
        let written = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let State {
                collected,
                exposition,
            } = &mut *state;
            // First the SDK: this runs the hooks, which set numbers of ours.
            self.reader.collect(collected).map_err(|error| {
                match lifecycle::stage() {
                    Stage::Running => TextError::Collect(error.to_string()),
                    // The reader has been shut down in this moment.
                    _ => TextError::ShutDown,
                }
            })?;
            exposition.text(&ALL, collected)
        };
        // Not under the lock: what takes the log may ask for the text.
        for metric in &written.left_out {
            let (name, why) = (&metric.name, metric.why);
            tracing::warn!("not all of the metric {name} is in Prometheus' text: {why}");
        }
        Ok(written.text)
    }
}
