//! What the exporters do not pass on: what a receiver took only in part.
//!
//! The HTTP exporter drops the answer of a request that succeeded. It is noted by the client underneath, on the thread
//! of the export, and taken when the export is settled.

use std::cell::Cell;

use http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

/// Items that a receiver did not take, though it answered that all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) items: u64,
    pub(crate) reason: String,
}

thread_local! {
    static NOTED: Cell<Option<Rejection>> = const { Cell::new(None) };
}

/// Notes what a good answer says of a part that was not taken.
pub(crate) fn note_answer(status: StatusCode, body: &[u8]) {
    NOTED.set(status.is_success().then(|| rejection(body)).flatten());
}

/// What was noted since the last time, on this thread.
pub(super) fn take() -> Option<Rejection> {
    NOTED.take()
}

/// The answers for all signals are alike on the wire, so that one type reads them all.
fn rejection(body: &[u8]) -> Option<Rejection> {
    let answer = ExportTraceServiceResponse::decode(body).ok()?;
    let partial = answer.partial_success?;
    let items = u64::try_from(partial.rejected_spans).unwrap_or_default();
    let reason = partial.error_message;
    (items > 0 || !reason.is_empty()).then_some(Rejection { items, reason })
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::metrics::v1::{
        ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
    };

    use super::*;

    #[test]
    fn the_answer_for_metrics_is_read_too() {
        let answer = ExportMetricsServiceResponse {
            partial_success: Some(ExportMetricsPartialSuccess {
                rejected_data_points: 3,
                error_message: "too old".to_owned(),
            }),
        };
        note_answer(StatusCode::OK, &answer.encode_to_vec());
        let rejection = take().expect("a rejection");
        assert_eq!((rejection.items, rejection.reason.as_str()), (3, "too old"));
        assert!(take().is_none(), "it is taken once");
    }

    #[test]
    fn an_answer_without_complaint_and_one_that_is_no_protobuf_are_none() {
        assert_eq!(rejection(b""), None);
        assert_eq!(rejection(b"<html>"), None);
    }
}
