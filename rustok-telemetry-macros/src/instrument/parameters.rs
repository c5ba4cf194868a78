//! The variables that a function's signature binds.

use proc_macro2::{Ident, Span};
use syn::{FnArg, Pat, Signature};

/// Returns all bound variables, `self` included.
pub(crate) fn of(signature: &Signature) -> Vec<Ident> {
    let mut parameters = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(_) => parameters.push(Ident::new("self", Span::call_site())),
            FnArg::Typed(typed) => bindings(&typed.pat, &mut parameters),
        }
    }
    parameters
}

fn bindings(pattern: &Pat, found: &mut Vec<Ident>) {
    let mut inner = |pattern: &Pat| bindings(pattern, found);
    match pattern {
        Pat::Ident(binding) => found.push(binding.ident.clone()),
        Pat::Reference(reference) => inner(&reference.pat),
        Pat::Paren(parens) => inner(&parens.pat),
        Pat::Struct(pattern) => pattern.fields.iter().for_each(|field| inner(&field.pat)),
        Pat::Tuple(pattern) => pattern.elems.iter().for_each(inner),
        Pat::TupleStruct(pattern) => pattern.elems.iter().for_each(inner),
        _ => {}
    }
}
