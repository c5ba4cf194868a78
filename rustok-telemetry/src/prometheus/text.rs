//! The metrics in the Prometheus text format or in OpenMetrics, for `/api/_health/metrics`.

use std::{
    io::Write,
    sync::{Mutex, OnceLock, PoisonError},
};

use flate2::{Compression, write::GzEncoder};
use opentelemetry_sdk::metrics::{data::ResourceMetrics, reader::MetricReader};

use super::{
    accept,
    encoder::{Exposition, Format, SkippedMetric, Written},
};
use crate::{
    config::debug_is_display,
    lifecycle::{self, Stage},
    metrics::{
        bridge,
        on_demand_reader::OnDemandReader,
        snapshot::{self, MetricSnapshot},
    },
};

/// A Prometheus text with the headers of its response, for any web framework.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrometheusText {
    /// Value of the response's `Content-Type` header.
    pub content_type: &'static str,
    /// Value of the response's `Content-Encoding` header; `None` unless the text is compressed.
    pub content_encoding: Option<&'static str>,
    /// Body of the response.
    pub body: Vec<u8>,
}

impl PrometheusText {
    /// Compresses the text if a request with this `Accept-Encoding` header accepts gzip.
    ///
    /// Pass an empty string for a missing header. The response should have `Vary: Accept-Encoding`, compressed or not.
    /// Compression takes one or two milliseconds per megabyte; call this where blocking is allowed.
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
        match accept::prefers_gzip(accept_encoding) {
            true => self.gzip(),
            false => self,
        }
    }

    /// Compresses the text with gzip, unless it is compressed.
    #[must_use]
    pub fn gzip(self) -> Self {
        if self.content_encoding.is_some() {
            return self;
        }
        // The fastest level compresses to 5 %. The slowest reaches 3 %, in six times the time.
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
            // Writing to memory does not fail; an uncompressed text would still be correct.
            Err(_) => self,
        }
    }
}

/// Error of [`prometheus_text`].
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Telemetry has not been started.
    #[error("telemetry has not been started: call rustok_telemetry::init() first")]
    NotStarted,
    /// Telemetry is disabled by `OTEL_SDK_DISABLED=true`.
    #[error("telemetry is switched off by OTEL_SDK_DISABLED=true")]
    Disabled,
    /// Telemetry has been shut down.
    #[error("telemetry has been shut down, or its guard was dropped")]
    ShutDown,
    /// The service has a meter provider of its own, without the reader of the text.
    #[error(
        "the service's meter provider has no reader for the text: add .with_reader(rustok_telemetry::text_reader()) to \
         the builder of the provider"
    )]
    NoReader,
    /// The OpenTelemetry SDK failed to collect.
    #[error(
        "the OpenTelemetry SDK cannot collect its metrics: {0}; look for a panic in the callback of an observable instrument"
    )]
    Collect(String),
}

debug_is_display!(TextError);

/// Returns all metrics of this process in the Prometheus text format, version 0.0.4: those of the catalogue, those
/// of OpenTelemetry's global meter provider, and those of other metric libraries.
///
/// Waits for the callbacks of the service: at most 500 ms, and 500 ms for registries of the `prometheus` crate.
///
/// # Name collisions
///
/// If several metrics have the same name in Prometheus, the one of the catalogue has precedence, then the one of the
/// alphabetically first instrumentation scope. Further metrics are in the text if they have the same type, without the
/// label sets that are there already. Each skipped metric is logged once. Exponential histograms are skipped.
///
/// # Errors
///
/// See [`TextError`]. After shutdown there is an error too, because an empty text would look like success.
///
/// ```
/// let text = rustok_telemetry::prometheus_text();
/// assert_eq!(text, Err(rustok_telemetry::TextError::NotStarted));
/// ```
pub fn prometheus_text() -> Result<PrometheusText, TextError> {
    text(Format::Prometheus)
}

/// Returns all metrics in the format that a request with this `Accept` header prefers: OpenMetrics 1.0.0 if the header
/// names it with at least the weight of `text/plain`, as Prometheus does by default, else as [`prometheus_text`].
///
/// Pass an empty string for a missing header. The response should have `Vary: Accept`, whatever the format.
///
/// OpenMetrics has the same samples, and exemplars of counters and buckets:
///
/// ```text
/// # TYPE rustok_http_request_duration_seconds histogram
/// # UNIT rustok_http_request_duration_seconds seconds
/// rustok_http_request_duration_seconds_bucket{method="GET",path="/",le="0.005"} 1 # {trace_id="…",span_id="…"} 0.003 1764381721.5
/// ```
///
/// - Names of samples are those of the Prometheus text. A counter whose name does not end in `_total`, such as
///   `rustok_http_requests_by_endpoint`, has the type `unknown`, since OpenMetrics would rename a `counter`. Such a
///   counter has no exemplars here, because OpenMetrics allows them for counters and buckets only.
/// - `target_info` has the type `info`. Units are those of the metrics, if the name ends in them.
/// - There are no `_created` samples: Prometheus would store each as a series.
/// - An upper bound such as 1 is written as `1.0`, which OpenMetrics requires. Prometheus 3 stores the same label for
///   both formats, Prometheus 2 does not.
///
/// # Errors
///
/// See [`TextError`].
///
/// ```
/// use rustok_telemetry::{TextError, prometheus_text_for};
///
/// let text = prometheus_text_for("application/openmetrics-text;version=1.0.0");
/// assert_eq!(text, Err(TextError::NotStarted));
/// ```
pub fn prometheus_text_for(accept: &str) -> Result<PrometheusText, TextError> {
    text(format_for(accept))
}

/// Returns the format that a request with this `Accept` header prefers.
pub(super) fn format_for(accept: &str) -> Format {
    match accept::prefers_openmetrics(accept) {
        true => Format::OpenMetrics,
        false => Format::Prometheus,
    }
}

pub(super) fn text(format: Format) -> Result<PrometheusText, TextError> {
    let Written { text, skipped } = collect(|collected, exposition| {
        let target = MetricSnapshot::target_info(collected.resource());
        let gathered = bridge::gather();
        exposition.text(
            format,
            snapshot::metrics(collected, &gathered).chain(target),
        )
    })?;
    // Without the lock: a log layer may call `prometheus_text`.
    for SkippedMetric { name, reason } in &skipped {
        tracing::warn!("not all of the metric {name} is in Prometheus' text: {reason}");
    }
    Ok(PrometheusText {
        content_type: format.content_type(),
        content_encoding: None,
        body: text.into_bytes(),
    })
}

/// Collects the metrics of the SDK and calls `read` with them, one caller at a time. The callbacks of the collection set
/// native gauges, so `read` has their current values.
pub(crate) fn collect<T>(
    read: impl FnOnce(&ResourceMetrics, &mut Exposition) -> T,
) -> Result<T, TextError> {
    match lifecycle::stage() {
        Stage::Running | Stage::Stopping => {}
        Stage::NotStarted => return Err(TextError::NotStarted),
        Stage::Disabled => return Err(TextError::Disabled),
        Stage::ShutDown => return Err(TextError::ShutDown),
    }
    let scrapes = SCRAPES.get().ok_or(TextError::NotStarted)?;
    let mut state = scrapes.state.lock().unwrap_or_else(PoisonError::into_inner);
    let (collected, exposition) = &mut *state;
    let reader = scrapes.reader.as_ref().ok_or(TextError::NoReader)?;
    match reader.collect(collected) {
        Ok(()) => Ok(read(collected, exposition)),
        Err(error) if lifecycle::stage() == Stage::Running => {
            Err(TextError::Collect(error.to_string()))
        }
        // The reader was shut down in between.
        Err(_) => Err(TextError::ShutDown),
    }
}

static SCRAPES: OnceLock<Scrapes> = OnceLock::new();

struct Scrapes {
    reader: Option<OnDemandReader>,
    /// A reused buffer for the SDK's collections, and the encoder.
    state: Mutex<(ResourceMetrics, Exposition)>,
}

/// Sets the reader of [`prometheus_text`].
pub(crate) fn serve(reader: Option<OnDemandReader>) {
    // Called once: `init` succeeds once in a process.
    let _ = SCRAPES.set(Scrapes {
        reader,
        state: Mutex::default(),
    });
}
