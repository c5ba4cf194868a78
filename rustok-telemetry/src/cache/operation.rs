//! The duration and the result of one cache operation.

use std::{sync::Arc, time::Instant};

use tracing::Span;

use crate::{
    error_type::ErrorName,
    metrics,
    operation::{Call, Outcome, OutcomeFuture, OutcomeRecorder},
    trace::CANCELLED,
};

/// A started operation with the labels of its metrics.
#[derive(Debug)]
pub(super) struct Operation {
    cache: Arc<str>,
    name: &'static str,
    /// The result of a successful operation.
    result: &'static str,
    started: Instant,
}

impl Operation {
    pub(super) fn begin(cache: &Arc<str>, name: &'static str, result: &'static str) -> Self {
        Self {
            cache: Arc::clone(cache),
            name,
            result,
            started: Instant::now(),
        }
    }

    /// Runs the operation. `other` returns a result that replaces the default one.
    pub(super) fn run<T>(
        self,
        work: impl FnOnce() -> T,
        other: impl FnOnce(&T) -> Option<&'static str>,
    ) -> T {
        let call = Call::begin(Span::none(), self);
        call.run(work, |value, _| other(value).map(ErrorName::given))
    }

    /// Runs the asynchronous operation.
    pub(super) async fn run_async<T>(
        self,
        work: impl Future<Output = T>,
        other: impl FnOnce(&T) -> Option<&'static str>,
    ) -> T {
        let call = Call::begin(Span::none(), self);
        OutcomeFuture::new(call, work, |value, _| other(value).map(ErrorName::given)).await
    }
}

impl OutcomeRecorder for Operation {
    fn count(&mut self, outcome: &Outcome) {
        let result = match outcome {
            Outcome::Ok => self.result,
            Outcome::Cancelled => CANCELLED,
            Outcome::Error(_) | Outcome::Panic => outcome.error_type().unwrap_or(self.result),
        };
        metrics::record_cache_operation(&self.cache, self.name, result);
        let seconds = self.started.elapsed().as_secs_f64();
        metrics::record_cache_duration(&self.cache, self.name, seconds);
    }
}
