//! Parses and checks `#[error_type]` attributes.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr, Meta};

use super::{Error, Named, Naming, Shape, USAGE};
use crate::metrics::diagnostics::Diagnostics;
use crate::{root, snake_case};

/// Returns the error type, or reports an error.
pub(super) fn error(mut input: DeriveInput, diagnostics: &mut Diagnostics) -> Option<Error> {
    let root = root::take(&mut input.attrs, "error_type", USAGE, diagnostics);
    let shape = match input.data {
        Data::Struct(data) => Shape::Struct(Named {
            variant: None,
            naming: naming(&input.ident, &input.attrs, &data.fields, diagnostics)?,
            fields: data.fields,
        }),
        Data::Enum(data) => {
            if let Some(attribute) = of_ours(&input.attrs).next() {
                diagnostics.add(
                    attribute,
                    "the variants of an enum have names, not the enum itself",
                    "put the attribute on a variant",
                    USAGE,
                );
            }
            let variants = data.variants.into_iter().filter_map(|variant| {
                Some(Named {
                    naming: naming(&variant.ident, &variant.attrs, &variant.fields, diagnostics)?,
                    variant: Some(variant.ident),
                    fields: variant.fields,
                })
            });
            Shape::Enum(variants.collect())
        }
        Data::Union(_) => {
            diagnostics.add(
                &input.ident,
                "`ErrorType` cannot be derived for a union",
                "derive `ErrorType` for an enum or a struct",
                USAGE,
            );
            return None;
        }
    };
    Some(Error {
        root,
        name: input.ident,
        generics: input.generics,
        shape,
    })
}

fn naming(
    ident: &Ident,
    attributes: &[Attribute],
    fields: &Fields,
    diagnostics: &mut Diagnostics,
) -> Option<Naming> {
    for field in fields {
        if let Some(attribute) = of_ours(&field.attrs).next() {
            diagnostics.add(
                attribute,
                "`#[error_type]` is not allowed on a field",
                format!("put the attribute on `{ident}`"),
                USAGE,
            );
        }
    }
    let mut attributes = of_ours(attributes);
    let Some(attribute) = attributes.next() else {
        return Some(Naming::Name(snake_case::of(ident)));
    };
    if let Some(second) = attributes.next() {
        diagnostics.add(
            second,
            format!("`{ident}` is named twice"),
            "remove one of the two",
            USAGE,
        );
    }
    match read(attribute) {
        Some(Argument::Name(name)) if snake_case::is(&name.value()) => {
            Some(Naming::Name(name.value()))
        }
        Some(Argument::Name(name)) => {
            diagnostics.add(
                &name,
                "the name of an error is lower-case words joined by `_`",
                format!("write \"{}\"", snake_case::of(ident)),
                USAGE,
            );
            None
        }
        Some(Argument::Transparent) if fields.len() == 1 => Some(Naming::Transparent),
        Some(Argument::Transparent) => {
            diagnostics.add(
                attribute,
                format!(
                    "`transparent` needs one field, the inner error; `{ident}` has {}",
                    fields.len()
                ),
                "give a name instead, as in `#[error_type(\"conflict\")]`",
                USAGE,
            );
            None
        }
        None => {
            diagnostics.add(
                attribute,
                "neither a name nor `transparent`",
                "write `#[error_type(\"conflict\")]` or `#[error_type(transparent)]`",
                USAGE,
            );
            None
        }
    }
}

enum Argument {
    Name(LitStr),
    Transparent,
}

fn read(attribute: &Attribute) -> Option<Argument> {
    let Meta::List(list) = &attribute.meta else {
        return None;
    };
    argument(list.tokens.clone()).ok()
}

fn argument(tokens: TokenStream) -> syn::Result<Argument> {
    let parser = |input: ParseStream<'_>| {
        if input.peek(LitStr) {
            return input.parse().map(Argument::Name);
        }
        let word = input.call(Ident::parse_any)?;
        match word == "transparent" {
            true => Ok(Argument::Transparent),
            false => Err(syn::Error::new(word.span(), "unknown")),
        }
    };
    parser.parse2(tokens)
}

fn of_ours(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("error_type"))
}
