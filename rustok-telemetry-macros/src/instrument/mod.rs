//! `#[instrument]`: a function whose calls are spans with an outcome.
//!
//! [`parse`] parses the function and the options. [`check`] turns the options into [`settings::Settings`] and reports
//! all errors. [`mod@expand`] generates the instrumented function.

mod body;
mod check;
mod events;
mod expand;
mod fields;
mod in_place;
mod level;
mod parameters;
mod parse;
mod settings;

use proc_macro2::TokenStream;
use quote::quote;

use crate::metrics::diagnostics::Diagnostics;

/// Example for error messages.
const USAGE: &str =
    "#[instrument(record(id), tenant_id = tenant, module = \"catalog\")] async fn load(…) { … }";

/// Returns the instrumented function, or the unchanged function followed by all errors.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let options = parse::options(arguments, &mut diagnostics);
    let function = parse::function(&item, &mut diagnostics);
    let settings = check::settings(options, function.as_ref(), &mut diagnostics);
    match function {
        Some(function) if diagnostics.count() == 0 => expand::function(&function, &settings),
        _ => {
            let errors = diagnostics.into_errors();
            quote!(#item #errors)
        }
    }
}
