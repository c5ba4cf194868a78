//! The severity of errors.

use tracing::Span;

use crate::{ErrorType, error_type::ErrorName, operation::Failure};

/// The severity of errors of type `E` for their module: a `&'static str` for all errors, or a function of the error.
///
/// Common values are `warning`, `error` and `critical`. The severity is a label: use few.
pub trait Severity<E> {
    /// Returns the severity of this error.
    fn of(&self, error: &E) -> &'static str;
}

impl<E> Severity<E> for &'static str {
    fn of(&self, _: &E) -> &'static str {
        self
    }
}

impl<E> Severity<E> for fn(&E) -> &'static str {
    fn of(&self, error: &E) -> &'static str {
        self(error)
    }
}

/// Returns a function that describes the error of a result.
pub(super) fn failure<T, E: ErrorType>(
    severity: impl Severity<E>,
) -> impl FnOnce(&Result<T, E>, &Span) -> Option<Failure> {
    move |result, _| {
        let error = result.as_ref().err()?;
        Some(Failure {
            name: ErrorName::given(error.error_type()),
            severity: Some(severity.of(error)),
            described: false,
        })
    }
}
