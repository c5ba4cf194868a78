//! `#[derive(ErrorType)]`: names each variant of an error.

mod check;
mod expand;

use proc_macro2::{Ident, TokenStream};
use syn::{DeriveInput, Fields, Generics, Path, parse2};

use crate::metrics::diagnostics::Diagnostics;

/// Example for error messages.
const USAGE: &str = "#[derive(ErrorType)] enum CatalogError { NotFound, #[error_type(\"conflict\")] Stale, \
     #[error_type(transparent)] Database(DatabaseError) }";

/// An error type.
struct Error {
    /// Path of `rustok_telemetry`.
    root: Path,
    name: Ident,
    generics: Generics,
    shape: Shape,
}

enum Shape {
    Struct(Named),
    Enum(Vec<Named>),
}

/// A struct or a variant, and how it is named.
struct Named {
    /// `None` for a struct.
    variant: Option<Ident>,
    fields: Fields,
    naming: Naming,
}

enum Naming {
    /// A fixed name.
    Name(String),
    /// The name of the inner error.
    Transparent,
}

/// Returns the implementation, or all errors.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let error = match parse2::<DeriveInput>(item) {
        Ok(input) => check::error(input, &mut diagnostics),
        Err(error) => {
            diagnostics.add_syntax(&error, USAGE);
            None
        }
    };
    match error {
        Some(error) if diagnostics.count() == 0 => expand::implementation(&error),
        _ => diagnostics.into_errors(),
    }
}
