//! The work of the worker.

use std::{fmt, io, path::Path};

use rustok_telemetry::{ErrorType, event_bus::Panicked};

#[derive(Debug, ErrorType)]
pub(crate) enum BookingError {
    Unreadable(io::Error),
    Malformed,
    #[error_type(transparent)]
    Panicked(Panicked),
}

impl BookingError {
    /// Whether another attempt can succeed: a missing file may still arrive.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}

impl fmt::Display for BookingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "{error}"),
            Self::Malformed => f.write_str("not an amount in cents on each line"),
            Self::Panicked(panicked) => write!(f, "{panicked}"),
        }
    }
}

impl From<Panicked> for BookingError {
    fn from(panicked: Panicked) -> Self {
        Self::Panicked(panicked)
    }
}

/// Returns the sum of an invoice, in cents.
pub(crate) async fn book(invoice: &Path) -> Result<u64, BookingError> {
    let text = tokio::fs::read_to_string(invoice).await;
    let text = text.map_err(BookingError::Unreadable)?;
    let amounts = text.lines().map(str::parse::<u64>);
    amounts
        .sum::<Result<u64, _>>()
        .map_err(|_| BookingError::Malformed)
}
