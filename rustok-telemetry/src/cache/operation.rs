//! The duration and the result of one cache operation.

use std::{sync::Arc, time::Instant};

use tracing::Span;

use crate::{
    error_type::ErrorName,
    metrics,
    operation::{Call, Outcome, OutcomeFuture, OutcomeRecorder},
    trace::CANCELLED,
};

/// An operation with the labels of its metrics.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) cache: Arc<str>,
    pub(super) name: &'static str,
    /// The result of a successful operation.
    pub(super) result: &'static str,
}

/// A started operation.
#[derive(Debug)]
struct Began {
    operation: Operation,
    at: Instant,
}

impl Operation {
    /// Runs the operation. `other` returns a result that replaces the default one.
    pub(super) fn run<T>(
        self,
        work: impl FnOnce() -> T,
        other: impl FnOnce(&T) -> Option<&'static str>,
    ) -> T {
        self.begin()
            .run(work, |value, _| other(value).map(ErrorName::given))
    }

    /// Runs the asynchronous operation, which starts at its first poll.
    pub(super) async fn run_async<T>(
        self,
        work: impl Future<Output = T>,
        other: impl FnOnce(&T) -> Option<&'static str>,
    ) -> T {
        OutcomeFuture::new(self.begin(), work, |value, _| {
            other(value).map(ErrorName::given)
        })
        .await
    }

    /// Starts a call without a span.
    fn begin(self) -> Call<Began> {
        let at = Instant::now();
        let operation = self;
        Call::begin(Span::none(), Began { operation, at })
    }
}

impl OutcomeRecorder for Began {
    fn count(&mut self, outcome: &Outcome) {
        let Operation {
            cache,
            name,
            result,
        } = &self.operation;
        let result = match outcome {
            Outcome::Ok => result,
            Outcome::Cancelled => CANCELLED,
            Outcome::Error(_) | Outcome::Panic => outcome.error_type().unwrap_or(result),
        };
        metrics::record_cache_operation(cache, name, result);
        metrics::record_cache_duration(cache, name, self.at.elapsed().as_secs_f64());
    }
}
