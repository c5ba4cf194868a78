//! Collects what is wrong with a module, to report all of it in one compile.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// How `#[metrics]` is used on a module.
pub(crate) const MODULE_USAGE: &str =
    "#[metrics(namespace = \"shop\", subsystem = \"basket\")] pub mod basket { … }";

/// How `#[label]` is used on a parameter.
pub(crate) const LABEL_USAGE: &str = "#[label(name = \"path\", budget = 100)] path: &str";

/// The problems found so far.
#[derive(Default)]
pub(crate) struct Diagnostics {
    collected: Vec<syn::Error>,
}

impl Diagnostics {
    /// Adds a problem: where it is, what is wrong, what would be right, and how it is used.
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

    /// Adds what the parser of Rust did not understand.
    pub(crate) fn add_syntax(&mut self, error: &syn::Error, usage: &str) {
        for error in error.clone() {
            let message = format!("{error}\nusage: {usage}");
            self.collected.push(syn::Error::new(error.span(), message));
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.collected.len()
    }

    /// All of them as `compile_error!`s.
    pub(crate) fn into_errors(self) -> TokenStream {
        self.collected
            .iter()
            .map(syn::Error::to_compile_error)
            .collect()
    }
}
