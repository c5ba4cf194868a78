//! The outcome of one export.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;

/// The outcome of one export, which is one or more requests.
#[derive(Debug, Default)]
pub(crate) struct ExportOutcome {
    /// Why requests failed.
    pub(crate) failure: Option<String>,
    /// Items that fit in no request and were dropped.
    pub(crate) too_large: Option<String>,
    /// Items that the receiver rejected.
    pub(crate) rejection: Option<PartialRejection>,
}

impl ExportOutcome {
    /// Returns why items were not sent; `None` if all were.
    pub(crate) fn error(&self) -> Option<String> {
        match (&self.failure, &self.too_large) {
            (Some(failure), Some(too_large)) => Some(format!("{failure}; {too_large}")),
            (Some(error), None) | (None, Some(error)) => Some(error.clone()),
            (None, None) => None,
        }
    }
}

/// Items that a receiver rejected although it accepted the request (OTLP's partial success).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartialRejection {
    /// Spans, data points or log records.
    pub items: u64,
    /// The receiver's message.
    pub reason: String,
}

impl PartialRejection {
    /// Returns the partial success of a response, unless it is empty. The responses of all signals have the same wire
    /// format, so one type decodes them all.
    pub(crate) fn from_response(response: ExportTraceServiceResponse) -> Option<Self> {
        let partial = response.partial_success?;
        let items = u64::try_from(partial.rejected_spans).unwrap_or_default();
        let reason = partial.error_message;
        (items > 0 || !reason.is_empty()).then_some(Self { items, reason })
    }
}
