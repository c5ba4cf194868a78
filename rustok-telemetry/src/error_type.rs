//! Names of errors, for `error.type` on spans and the `error_type` of metrics.

mod foreign;
mod name;

use std::{rc::Rc, sync::Arc};

pub use self::name::ErrorName;

/// An error with a low-cardinality name of its type.
///
/// The name is the attribute `error.type` of spans and the label `error_type` of metrics. It must not contain ids,
/// messages or anything else that differs between occurrences.
///
/// Derive the trait with [`#[derive(ErrorType)]`](derive@crate::ErrorType), or implement it:
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
/// An error that does not implement the trait is named by its Rust type, see [`instrument`](macro@crate::instrument).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `error_type`",
    label = "does not implement `ErrorType`",
    note = "add `#[derive(rustok_telemetry::ErrorType)]` to it, or give a name with `#[error_type(\"…\")]` here; \
            `sqlx::Error` has one with the Cargo feature `sqlx` of rustok-telemetry, `tonic::Status` with `tonic`, \
            `reqwest::Error` with `reqwest-middleware`"
)]
pub trait ErrorType {
    /// Returns the name, in `snake_case`.
    fn error_type(&self) -> &'static str;
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<E: ErrorType + ?Sized> ErrorType for $pointer {
            fn error_type(&self) -> &'static str {
                (**self).error_type()
            }
        }
    )*};
}

pointers!(&E, Box<E>, Arc<E>, Rc<E>);

/// The value that a call returned. With the three traits below in scope, `(&&&Returned(&value)).__rustok_failure()`
/// calls the first one that the type implements (autoref specialization).
#[derive(Debug)]
pub struct Returned<'value, T>(pub &'value T);

/// A `Result` whose error implements [`ErrorType`].
pub trait NamedFailure {
    /// Returns the name of the error.
    fn __rustok_failure(&self) -> Option<ErrorName>;
}

/// Any other `Result`, whose error is named by its Rust type.
pub trait TypedFailure {
    /// Returns the name of the error.
    fn __rustok_failure(&self) -> Option<ErrorName>;
}

/// Any other type, which is never an error.
pub trait NoFailure {
    /// Returns `None`.
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
