//! Parses the function and the options. Only whether the item is a function is checked.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ExprLit, Item, Lit, LitStr, Signature, Token, TraitItemFn, Visibility, braced,
    parenthesized, parse2,
};

use super::USAGE;
use crate::metrics::diagnostics::Diagnostics;

/// A function whose body is not parsed.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) inner_attributes: Vec<Attribute>,
    pub(crate) body: TokenStream,
}

/// One option.
pub(crate) struct Given {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What follows an option's name.
#[allow(
    clippy::large_enum_variant,
    reason = "there are a few values in a compilation"
)]
pub(crate) enum Value {
    /// Nothing.
    None,
    /// `= value`
    Is(Sigil, Expr),
    /// `(…)`
    List(TokenStream),
}

/// How a value is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sigil {
    /// By type.
    None,
    /// `%`
    Display,
    /// `?`
    Debug,
}

/// Parses the options between the attribute's parentheses.
pub(crate) fn options(arguments: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Given> {
    match Punctuated::<Given, Token![,]>::parse_terminated.parse2(arguments) {
        Ok(options) => options.into_iter().collect(),
        Err(error) => {
            diagnostics.add_syntax(&error, USAGE);
            Vec::new()
        }
    }
}

/// Parses the function; reports an error if it cannot be instrumented.
pub(crate) fn function(item: &TokenStream, diagnostics: &mut Diagnostics) -> Option<Function> {
    let function = match parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            refuse(item, &error, diagnostics);
            return None;
        }
    };
    if let Some(constness) = &function.signature.constness {
        diagnostics.add(
            constness,
            "a `const fn` cannot be instrumented: it may run while the program is being compiled",
            "instrument the function that calls it",
            USAGE,
        );
        return None;
    }
    Some(function)
}

fn refuse(item: &TokenStream, error: &syn::Error, diagnostics: &mut Diagnostics) {
    if let Ok(declared) = parse2::<TraitItemFn>(item.clone())
        && declared.default.is_none()
    {
        diagnostics.add(
            &declared.sig,
            format!("the function `{}` has no body", declared.sig.ident),
            "put `#[instrument]` on it in each implementation of the trait",
            USAGE,
        );
        return;
    }
    match parse2::<Item>(item.clone()) {
        Ok(Item::Verbatim(_) | Item::Fn(_)) | Err(_) => diagnostics.add_syntax(error, USAGE),
        Ok(other) => diagnostics.add(
            other,
            "`#[instrument]` goes on a function",
            "put it on each function that should have a span",
            USAGE,
        ),
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let content;
        braced!(content in input);
        Ok(Self {
            attributes,
            visibility,
            signature,
            inner_attributes: content.call(Attribute::parse_inner)?,
            body: content.parse()?,
        })
    }
}

impl Parse for Given {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // A string alone is the name of the span.
        if input.peek(LitStr) {
            let name: LitStr = input.parse()?;
            return Ok(Self {
                name: Ident::new("name", name.span()),
                value: Value::Is(
                    Sigil::None,
                    Expr::Lit(ExprLit {
                        attrs: Vec::new(),
                        lit: Lit::Str(name),
                    }),
                ),
            });
        }
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| syn::Error::new(error.span(), "expected the name of an option"))?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            Value::Is(input.parse()?, input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

impl Parse for Sigil {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(if input.parse::<Option<Token![%]>>()?.is_some() {
            Self::Display
        } else if input.parse::<Option<Token![?]>>()?.is_some() {
            Self::Debug
        } else {
            Self::None
        })
    }
}
