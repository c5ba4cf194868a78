//! What became of one export.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;

/// What became of one export, of one or more requests.
#[derive(Debug, Default)]
pub(crate) struct ExportOutcome {
    /// Why requests failed.
    pub(crate) failure: Option<String>,
    /// What no request can hold, and was dropped.
    pub(crate) too_large: Option<String>,
    /// What the receiver took only in part.
    pub(crate) rejection: Option<RejectedItems>,
}

impl ExportOutcome {
    /// Why not everything was sent; `None` if it was.
    pub(crate) fn error(&self) -> Option<String> {
        match (&self.failure, &self.too_large) {
            (Some(failure), Some(too_large)) => Some(format!("{failure}; {too_large}")),
            (Some(error), None) | (None, Some(error)) => Some(error.clone()),
            (None, None) => None,
        }
    }
}

/// Items that a receiver did not take, though it answered that all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedItems {
    pub(crate) items: u64,
    pub(crate) reason: String,
}

impl RejectedItems {
    /// What an answer says of a part, unless it says nothing. The answers for all signals are alike on the wire, so one
    /// type reads them all.
    pub(crate) fn told(answer: ExportTraceServiceResponse) -> Option<Self> {
        let partial = answer.partial_success?;
        let items = u64::try_from(partial.rejected_spans).unwrap_or_default();
        let reason = partial.error_message;
        (items > 0 || !reason.is_empty()).then_some(Self { items, reason })
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

    use super::*;

    fn told(rejected_spans: i64, reason: &str) -> Option<RejectedItems> {
        let partial_success = Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: reason.to_owned(),
        });
        RejectedItems::told(ExportTraceServiceResponse { partial_success })
    }

    #[test]
    fn a_reason_without_items_is_told_too_and_nothing_is_nothing() {
        assert!(told(0, "slow down").is_some());
        assert_eq!(told(3, "too old").map(|rejection| rejection.items), Some(3));
        assert_eq!(told(0, ""), None);
        assert_eq!(told(-1, ""), None);
    }

    #[test]
    fn both_reasons_are_in_the_error() {
        let outcome = ExportOutcome {
            failure: Some("refused".to_owned()),
            too_large: Some("huge".to_owned()),
            rejection: None,
        };
        assert_eq!(outcome.error().as_deref(), Some("refused; huge"));
        assert_eq!(ExportOutcome::default().error(), None);
    }
}
