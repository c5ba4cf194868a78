//! How severe errors are.

use tracing::Span;

use crate::{ErrorType, error_type::ErrorName, operation::Failure};

/// How severe an error of type `E` is for the module that it belongs to: the same for each, which is a `&'static str`,
/// or what a function says of it.
///
/// Usual are `warning`, `error` and `critical`. It is the label of a metric, so there are few of them.
pub trait Severity<E> {
    /// The severity of this error.
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

/// Finds the error in a result.
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
