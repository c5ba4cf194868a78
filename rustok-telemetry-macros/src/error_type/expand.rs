//! Generates the implementation of `ErrorType`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Field, Generics, Member, Path, parse_quote};

use super::{Error, Named, Naming, Shape};
use crate::root;

pub(super) fn implementation(error: &Error) -> TokenStream {
    let Error {
        root,
        name,
        generics,
        shape,
    } = error;
    let (body, all): (_, &[Named]) = match shape {
        Shape::Struct(named) => (arm(named, root), std::slice::from_ref(named)),
        Shape::Enum(variants) => {
            let arms = variants.iter().map(|variant| arm(variant, root));
            (arms.collect(), variants)
        }
    };
    // `match self {}` does not compile: a reference to an empty enum counts as inhabited.
    let scrutinee = match all {
        [] => quote!(*self),
        _ => quote!(self),
    };
    let mut bounded = generics.clone();
    for field in all.iter().filter_map(inner) {
        if mentions_parameter(field, generics) {
            let kind = &field.ty;
            bounded
                .make_where_clause()
                .predicates
                .push(parse_quote!(#kind: #root::ErrorType));
        }
    }
    let (parameters, arguments, _) = generics.split_for_impl();
    let conditions = &bounded.where_clause;
    quote! {
        #[automatically_derived]
        impl #parameters #root::ErrorType for #name #arguments #conditions {
            fn error_type(&self) -> &'static ::core::primitive::str {
                match #scrutinee {
                    #body
                }
            }
        }
    }
}

fn arm(named: &Named, root: &Path) -> TokenStream {
    let path = match &named.variant {
        Some(variant) => quote!(Self::#variant),
        None => quote!(Self),
    };
    match &named.naming {
        Naming::Name(name) => quote!(#path { .. } => #name,),
        Naming::Transparent => {
            let field = named.fields.iter().next();
            let span = field.map_or_else(Span::call_site, |field| field.ty.span());
            let member = match field.and_then(|field| field.ident.clone()) {
                Some(ident) => Member::Named(ident),
                None => Member::Unnamed(0.into()),
            };
            let inner = Ident::new("inner", Span::mixed_site());
            let root = root::at(root, span);
            quote_spanned! {span=>
                #path { #member: #inner } => #root::ErrorType::error_type(#inner),
            }
        }
    }
}

/// Returns the field with the inner error of a transparent variant or struct.
fn inner(named: &Named) -> Option<&Field> {
    match named.naming {
        Naming::Transparent => named.fields.iter().next(),
        Naming::Name(_) => None,
    }
}

fn mentions_parameter(field: &Field, generics: &Generics) -> bool {
    fn any(tokens: TokenStream, generics: &Generics) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => generics.type_params().any(|p| p.ident == ident),
            TokenTree::Group(group) => any(group.stream(), generics),
            _ => false,
        })
    }
    any(field.ty.to_token_stream(), generics)
}
