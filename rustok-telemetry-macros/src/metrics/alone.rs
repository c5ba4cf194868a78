//! `#[counter]` and the other kinds on a function outside of a module with `#[metrics]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Ident, parse_quote};

use super::check;
use super::diagnostics::Diagnostics;
use super::full_names::Prefix;
use super::functions::Functions;
use super::kind::Kind;
use super::options::Options;
use super::parse;
use super::stub;

/// Returns the code of the metric that one function declares, followed by all errors.
pub(crate) fn expand(kind: Kind, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let Some(mut declaration) = parse::function(item.clone(), kind, &mut diagnostics) else {
        let errors = diagnostics.into_errors();
        return quote!(#item #errors);
    };
    let (root, arguments) = Options::take_root(arguments, kind.usage(), &mut diagnostics);
    let attribute: Attribute = {
        let name = Ident::new(kind.attribute(), declaration.signature.ident.span());
        parse_quote!(#[#name(#arguments)])
    };
    declaration.kinds.insert(0, (kind, attribute));
    let prefix = Prefix::none();
    let metric = check::declaration(&declaration, Some(&prefix), &root, &mut diagnostics);
    let mut functions = Functions::default();
    let code = match metric {
        Some(metric) => {
            let timer = functions.timer(&metric, &mut diagnostics);
            super::expand::metric(&metric, timer.as_ref())
        }
        None => stub::declaration(&declaration, &functions, &root),
    };
    let errors = diagnostics.into_errors();
    quote!(#code #errors)
}
