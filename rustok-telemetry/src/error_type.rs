//! Names of errors, for `error.type` on spans and the `error_type` of metrics.

mod foreign;
mod name;

use std::{rc::Rc, sync::Arc};

pub use self::name::ErrorName;

/// The type of an error, as a name of which there are few.
///
/// It becomes the attribute `error.type` of a span and the label `error_type` of a metric, so it must not contain
/// anything that differs from one occurrence to the next: no ids, no messages.
///
/// [`#[derive(ErrorType)]`](derive@crate::ErrorType) names the variants of an enum. By hand:
///
/// ```
/// use rustok_telemetry::ErrorType;
///
/// struct Refused { status: u16 }
///
/// impl ErrorType for Refused {
///     fn error_type(&self) -> &'static str {
///         match self.status {
///             404 => "not_found",
///             500.. => "server_error",
///             _ => "refused",
///         }
///     }
/// }
/// assert_eq!(Refused { status: 404 }.error_type(), "not_found");
/// ```
///
/// An error that does not implement it is named by its type, see [`instrument`](macro@crate::instrument).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `error_type`",
    label = "does not implement `ErrorType`",
    note = "add `#[derive(rustok_telemetry::ErrorType)]` to it, or give a name with `#[error_type(\"…\")]` here"
)]
pub trait ErrorType {
    /// The name, in `snake_case`.
    fn error_type(&self) -> &'static str;
}

impl<E: ErrorType + ?Sized> ErrorType for &E {
    fn error_type(&self) -> &'static str {
        (**self).error_type()
    }
}

impl<E: ErrorType + ?Sized> ErrorType for Box<E> {
    fn error_type(&self) -> &'static str {
        (**self).error_type()
    }
}

impl<E: ErrorType + ?Sized> ErrorType for Arc<E> {
    fn error_type(&self) -> &'static str {
        (**self).error_type()
    }
}

impl<E: ErrorType + ?Sized> ErrorType for Rc<E> {
    fn error_type(&self) -> &'static str {
        (**self).error_type()
    }
}

/// What a call returned. Whether that is an error, and which, is asked with the three traits below in scope:
/// `(&&&Returned(&value)).__rustok_failure()` takes the first of them that fits the type.
#[derive(Debug)]
pub struct Returned<'value, T>(pub &'value T);

/// A `Result` whose error has a name of its own.
pub trait NamedFailure {
    /// The error's name, if there is an error.
    fn __rustok_failure(&self) -> Option<ErrorName>;
}

/// Any other `Result`: its error is named by its type.
pub trait TypedFailure {
    /// The error's name, if there is an error.
    fn __rustok_failure(&self) -> Option<ErrorName>;
}

/// Anything else, which is never an error.
pub trait NoFailure {
    /// Nothing.
    fn __rustok_failure(&self) -> Option<ErrorName>;
}

impl<T, E: ErrorType> NamedFailure for &&Returned<'_, Result<T, E>> {
    fn __rustok_failure(&self) -> Option<ErrorName> {
        let error = self.0.as_ref().err()?;
        Some(ErrorName::given(error.error_type()))
    }
}

impl<T, E> TypedFailure for &Returned<'_, Result<T, E>> {
    fn __rustok_failure(&self) -> Option<ErrorName> {
        self.0.is_err().then(ErrorName::of_type::<E>)
    }
}

impl<T> NoFailure for Returned<'_, T> {
    fn __rustok_failure(&self) -> Option<ErrorName> {
        None
    }
}
