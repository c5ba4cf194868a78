//! Panics of handlers as errors.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::ErrorType;

/// The error of a handler that panicked. See [`Handler::handle_catching`](super::Handler::handle_catching).
///
/// Does not contain the panic message, which the panic hook has received and which may contain sensitive data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler panicked")
    }
}

impl std::error::Error for Panicked {}

impl ErrorType for Panicked {
    fn error_type(&self) -> &'static str {
        "panic"
    }
}

pin_project! {
    /// A future that returns a panic as an error.
    pub(super) struct Caught<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Caught<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        // The future is not used after a panic. The state that it shares is the responsibility of its author.
        match catch_unwind(AssertUnwindSafe(|| future.poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    }
}
