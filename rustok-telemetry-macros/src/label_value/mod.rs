//! `#[derive(LabelValue)]`: names each variant of an enum without fields, for use as label values.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Path, Variant, parse2};

use crate::metrics::diagnostics::Diagnostics;
use crate::{root, snake_case};

/// Example for error messages.
const USAGE: &str = "#[derive(LabelValue)] enum Outcome { Hit, #[label(\"missed\")] Miss }";

/// Maximum length of a value, in bytes. A longer one would be folded to `other`.
const LONGEST: usize = 256;

/// Returns the implementation, or all errors.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let mut input = match parse2::<DeriveInput>(item) {
        Ok(input) => input,
        Err(error) => {
            diagnostics.add_syntax(&error, USAGE);
            return diagnostics.into_errors();
        }
    };
    let root = root::take(&mut input.attrs, "label_value", USAGE, &mut diagnostics);
    misplaced(&input, &mut diagnostics);
    let values = values(&input, &mut diagnostics);
    if diagnostics.count() > 0 {
        return diagnostics.into_errors();
    }
    implementation(&input, &values, &root)
}

fn implementation(input: &DeriveInput, values: &[(Ident, String)], root: &Path) -> TokenStream {
    let name = &input.ident;
    let (parameters, arguments, conditions) = input.generics.split_for_impl();
    let arms = values
        .iter()
        .map(|(variant, value)| quote!(Self::#variant => #value,));
    let scrutinee = match values {
        [] => quote!(*self),
        _ => quote!(self),
    };
    quote! {
        #[automatically_derived]
        impl #parameters #root::LabelValue for #name #arguments #conditions {
            fn as_label(&self) -> &::core::primitive::str {
                match #scrutinee {
                    #(#arms)*
                }
            }
        }
    }
}

/// Reports `#[label_value]` on variants, and on the enum without `crate = …`.
fn misplaced(input: &DeriveInput, diagnostics: &mut Diagnostics) {
    let variants = match &input.data {
        Data::Enum(data) => data.variants.iter().collect(),
        _ => Vec::new(),
    };
    let on_variants = variants.into_iter().flat_map(|variant| &variant.attrs);
    for attribute in input.attrs.iter().chain(on_variants) {
        if attribute.path().is_ident("label_value") {
            diagnostics.add(
                attribute,
                "`#[label_value]` is allowed on the enum only, with `crate = …`",
                "write `#[label(\"missed\")]` on a variant to set its value",
                USAGE,
            );
        }
    }
}

/// Returns each variant with its value.
fn values(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Vec<(Ident, String)> {
    let Data::Enum(data) = &input.data else {
        diagnostics.add(
            &input.ident,
            "the values of a label are the variants of an enum",
            "derive `LabelValue` for an enum, or implement it by hand",
            USAGE,
        );
        return Vec::new();
    };
    let mut values: Vec<(Ident, String)> = Vec::new();
    for variant in &data.variants {
        let Some(value) = value(variant, diagnostics) else {
            continue;
        };
        if let Some((other, _)) = values.iter().find(|(_, taken)| *taken == value) {
            diagnostics.add(
                &variant.ident,
                format!("`{other}` already has the value \"{value}\""),
                "set another value for one of them: `#[label(\"…\")]`",
                USAGE,
            );
        }
        values.push((variant.ident.clone(), value));
    }
    values
}

fn value(variant: &Variant, diagnostics: &mut Diagnostics) -> Option<String> {
    if !matches!(variant.fields, Fields::Unit) {
        diagnostics.add(
            variant,
            format!(
                "`{}` has fields, so the number of its values is not bounded",
                variant.ident
            ),
            "use a variant without fields for each value",
            USAGE,
        );
        return None;
    }
    let mut attributes = variant.attrs.iter().filter(|a| a.path().is_ident("label"));
    let Some(attribute) = attributes.next() else {
        return Some(snake_case::of(&variant.ident));
    };
    if let Some(second) = attributes.next() {
        diagnostics.add(
            second,
            format!("`{}` has two values", variant.ident),
            "remove one of the two",
            USAGE,
        );
    }
    given(attribute, diagnostics)
}

fn given(attribute: &Attribute, diagnostics: &mut Diagnostics) -> Option<String> {
    let Ok(text) = attribute.parse_args::<LitStr>() else {
        diagnostics.add(
            attribute,
            "`#[label]` on a variant needs a string",
            "write `#[label(\"missed\")]`",
            USAGE,
        );
        return None;
    };
    let value = text.value();
    if value.is_empty() || value.len() > LONGEST {
        diagnostics.add(
            text,
            format!("a label's value has 1 to {LONGEST} bytes"),
            "write a short one, such as \"missed\"",
            USAGE,
        );
        return None;
    }
    Some(value)
}
