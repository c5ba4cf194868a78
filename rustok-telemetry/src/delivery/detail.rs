//! What the exporters do not pass on: why a request could not be made, and what a receiver took only in part.
//!
//! The HTTP exporter says "network error" and no more, and drops the answer of a request that succeeded. Both are
//! noted by the client underneath, on the thread of the export, and taken when the export is settled.

use std::{cell::RefCell, error::Error};

use http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

/// What was noted in the course of one export.
#[derive(Debug, Default)]
pub(super) struct Detail {
    pub(super) cause: Option<String>,
    pub(super) rejection: Option<Rejection>,
}

/// Items that a receiver did not take, though it answered that all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) items: u64,
    pub(crate) reason: String,
}

thread_local! {
    static NOTED: RefCell<Detail> = RefCell::default();
}

/// Notes why a request could not be made; that of a later attempt counts.
pub(crate) fn note_cause(error: &(dyn Error + Send + Sync + 'static)) {
    NOTED.with_borrow_mut(|noted| noted.cause = Some(chain(error)));
}

/// Notes what a good answer says of a part that was not taken.
pub(crate) fn note_answer(status: StatusCode, body: &[u8]) {
    let rejection = status.is_success().then(|| rejection(body)).flatten();
    let cause = None;
    NOTED.set(Detail { cause, rejection });
}

/// What was noted since the last time, on this thread.
pub(super) fn take() -> Detail {
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

/// The causes of an error. The error itself is left out where it has any: it names the URL, which may hold a secret.
fn chain(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let Some(first) = error.source() else {
        return "the request cannot be made".to_owned();
    };
    let mut parts = vec![first.to_string()];
    let mut next = first.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Some errors print their cause themselves.
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = cause.source();
    }
    parts.join(": ")
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
        let rejection = take().rejection.expect("a rejection");
        assert_eq!((rejection.items, rejection.reason.as_str()), (3, "too old"));
        assert!(take().rejection.is_none(), "it is taken once");
    }

    #[test]
    fn an_answer_without_complaint_and_one_that_is_no_protobuf_are_none() {
        assert_eq!(rejection(b""), None);
        assert_eq!(rejection(b"<html>"), None);
    }
}
