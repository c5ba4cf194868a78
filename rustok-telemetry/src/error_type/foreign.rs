//! [`ErrorType`] of the channel errors of tokio and the standard library.

use std::{convert::Infallible, sync::mpsc as std_mpsc};

use tokio::sync::mpsc;

use super::ErrorType;

const QUEUE_FULL: &str = "queue_full";
const QUEUE_CLOSED: &str = "queue_closed";

/// `queue_full` or `queue_closed`.
impl<T> ErrorType for mpsc::error::TrySendError<T> {
    fn error_type(&self) -> &'static str {
        match self {
            Self::Full(_) => QUEUE_FULL,
            Self::Closed(_) => QUEUE_CLOSED,
        }
    }
}

/// `queue_closed`.
impl<T> ErrorType for mpsc::error::SendError<T> {
    fn error_type(&self) -> &'static str {
        QUEUE_CLOSED
    }
}

/// `queue_full` or `queue_closed`.
impl<T> ErrorType for std_mpsc::TrySendError<T> {
    fn error_type(&self) -> &'static str {
        match self {
            Self::Full(_) => QUEUE_FULL,
            Self::Disconnected(_) => QUEUE_CLOSED,
        }
    }
}

/// `queue_closed`.
impl<T> ErrorType for std_mpsc::SendError<T> {
    fn error_type(&self) -> &'static str {
        QUEUE_CLOSED
    }
}

/// Never called, because there is no such value.
impl ErrorType for Infallible {
    fn error_type(&self) -> &'static str {
        match *self {}
    }
}
