//! One operation on a cache: it is timed, and has one result.

use std::{sync::Arc, time::Instant};

use tracing::Span;

use crate::{
    error_type::ErrorName,
    metrics,
    operation::{Call, Outcome, OutcomeFuture, OutcomeRecorder},
    trace::CANCELLED,
};

/// An operation, as the metrics name it.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) cache: Arc<str>,
    pub(super) name: &'static str,
    /// The result when nothing else is said.
    pub(super) result: &'static str,
}

/// An operation that has begun.
#[derive(Debug)]
struct Began {
    operation: Operation,
    at: Instant,
}

impl Operation {
    /// Runs it. `other` gives the result, if that is another one.
    pub(super) fn run<T>(
        self,
        work: impl FnOnce() -> T,
        other: impl FnOnce(&T) -> Option<&'static str>,
    ) -> T {
        self.begin()
            .run(work, |value, _| other(value).map(ErrorName::given))
    }

    /// Runs it, from its first poll on.
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

    /// It has no span of its own, but its outcome is decided like that of any call.
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
