//! Collects the errors of a module, to report all of them in one compilation.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Example of `#[metrics]`, for error messages.
pub(crate) const MODULE_USAGE: &str =
    "#[metrics(namespace = \"shop\", subsystem = \"basket\")] pub mod basket { … }";

/// Example of `#[label]`, for error messages.
pub(crate) const LABEL_USAGE: &str = "#[label(name = \"path\", budget = 100)] path: &str";

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Diagnostics {
    collected: Vec<syn::Error>,
}

impl Diagnostics {
    /// Adds an error: its position, the message, the suggestion and an example.
    pub(crate) fn add(
        &mut self,
        at: impl ToTokens,
        wrong: impl Display,
        right: impl Display,
        usage: &str,
    ) {
        let message = format!("{wrong}\n{right}\nusage: {usage}");
        self.collected.push(syn::Error::new_spanned(at, message));
    }

    /// Adds an error of the Rust parser.
    pub(crate) fn add_syntax(&mut self, error: &syn::Error, usage: &str) {
        for error in error.clone() {
            let message = format!("{error}\nusage: {usage}");
            self.collected.push(syn::Error::new(error.span(), message));
        }
    }

    /// Returns the number of errors.
    pub(crate) fn count(&self) -> usize {
        self.collected.len()
    }

    /// Returns the errors as `compile_error!`s.
    pub(crate) fn into_errors(self) -> TokenStream {
        self.collected
            .iter()
            .map(syn::Error::to_compile_error)
            .collect()
    }
}
