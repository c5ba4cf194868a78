//! Panics of handlers as errors.

use std::{
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

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

/// Runs a future, and returns its panic as an error.
pub(super) async fn catch<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // The future is not used after a panic. The state that it shares is the responsibility of its author.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}
