//! `#[metrics]`: turns the declarations in a module into metrics.
//!
//! [`parse`] splits the module into declarations and other items. [`check`] turns each declaration into a
//! [`metric::Metric`] or reports its errors. [`mod@expand`] generates the code of a metric, [`timer`] that of a
//! histogram's timer, [`stub`] that of a rejected declaration. [`diagnostics`] collects the errors. [`alone`] does the same
//! for one function outside of such a module.

pub(crate) mod alone;
mod check;
pub(crate) mod diagnostics;
mod docs;
mod expand;
mod full_names;
mod functions;
pub(crate) mod kind;
mod metric;
mod names;
mod options;
mod parameters;
mod parse;
mod signature;
mod stub;
pub(crate) mod suggest;
#[cfg(test)]
mod tests;
mod timer;
mod types;
mod units;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Item;

use self::diagnostics::Diagnostics;
use self::full_names::{Arguments, FullNames};
use self::functions::Functions;
use self::parse::ModuleItem;

/// Returns the expanded module, followed by all errors.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let Arguments { root, prefix } = Arguments::read(arguments, &mut diagnostics);
    let Some(module) = parse::module(item.clone(), &mut diagnostics) else {
        let errors = diagnostics.into_errors();
        return quote!(#item #errors);
    };

    let mut names = FullNames::default();
    let mut functions = Functions::written(&module.items);
    let items = module.items.iter().map(|item| match item {
        ModuleItem::Other(item) => quote!(#item),
        ModuleItem::WithBody(kind, function) => {
            check::has_body(function, *kind, &mut diagnostics);
            stub::with_body(function)
        }
        ModuleItem::Declaration(declaration) => {
            let metric = check::declaration(declaration, prefix.as_ref(), &root, &mut diagnostics);
            match metric.filter(|metric| names.is_new(metric, &mut diagnostics)) {
                Some(metric) => {
                    let timer = functions.timer(&metric, &mut diagnostics);
                    expand::metric(&metric, timer.as_ref())
                }
                None => stub::declaration(declaration, &functions, &root),
            }
        }
    });
    let items: Vec<Item> = items.map(Item::Verbatim).collect();
    let module = module.around(items);
    let errors = diagnostics.into_errors();
    quote!(#module #errors)
}
