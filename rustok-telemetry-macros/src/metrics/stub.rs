//! Replaces a rejected declaration by an empty function, so that its callers cause no further errors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, FnArg, ItemFn, Pat, Path, ReturnType, Signature};

use super::functions::Functions;
use super::kind::Kind;
use super::parse::{Declaration, kind_of};
use super::timer;
use crate::root::private;

/// Returns an empty function with the declared signature, and one for a histogram's timer; nothing for an observable,
/// which has no function.
pub(crate) fn declaration(
    declaration: &Declaration,
    functions: &Functions,
    root: &Path,
) -> TokenStream {
    if declaration
        .kinds
        .iter()
        .any(|(kind, _)| kind.is_observable())
    {
        return TokenStream::new();
    }
    let Declaration {
        docs,
        attributes,
        visibility,
        signature,
        ..
    } = declaration;
    let attributes: Vec<_> = attributes
        .iter()
        .filter(|attribute| is_condition(attribute))
        .collect();
    let asyncness = &signature.asyncness;
    let name = &signature.ident;
    let (parameters, names) = parameters(signature);
    let output = &signature.output;
    let diverge = matches!(output, ReturnType::Type(..)).then(|| quote!(loop {}));
    let (generics, _, where_clause) = signature.generics.split_for_impl();
    let timer = is_histogram(declaration).then(|| timer::name_beside(name));
    let timer = timer.filter(|timer| functions.is_free(timer)).map(|timer| {
        let private = private(root);
        // Without the value.
        let labels = parameters.iter().take(parameters.len().saturating_sub(1));
        let label_names = names.iter().take(names.len().saturating_sub(1));
        quote! {
            #(#attributes)*
            #visibility fn #timer #generics (#(#labels),*) -> #private::Timer<'static, 0> #where_clause {
                let _ = (#(#label_names,)*);
                loop {}
            }
        }
    });
    quote! {
        #timer
        #(#docs)*
        #(#attributes)*
        #visibility #asyncness fn #name #generics (#(#parameters),*) #output #where_clause {
            let _ = (#(#names,)*);
            #diverge
        }
    }
}

/// Returns the function without the attributes of the macro.
pub(crate) fn with_body(function: &ItemFn) -> TokenStream {
    let mut function = function.clone();
    function
        .attrs
        .retain(|attribute| kind_of(attribute).is_none());
    for input in &mut function.sig.inputs {
        if let FnArg::Typed(parameter) = input {
            parameter.attrs.retain(|a| !a.path().is_ident("label"));
        }
    }
    quote!(#function)
}

/// Returns the parameters without their attributes, and their names.
fn parameters(signature: &Signature) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let mut parameters = Vec::new();
    let mut names = Vec::new();
    for input in &signature.inputs {
        let FnArg::Typed(parameter) = input else {
            continue;
        };
        let kind = &parameter.ty;
        match &*parameter.pat {
            Pat::Ident(name) => {
                let name = &name.ident;
                parameters.push(quote!(#name: #kind));
                names.push(quote!(#name));
            }
            _ => parameters.push(quote!(_: #kind)),
        }
    }
    (parameters, names)
}

fn is_histogram(declaration: &Declaration) -> bool {
    let kinds = &declaration.kinds;
    kinds.iter().any(|(kind, _)| *kind == Kind::Histogram)
}

/// Returns whether this is a `#[cfg]` or `#[cfg_attr]`.
pub(crate) fn is_condition(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}
