//! The path of `rustok_telemetry` in expansions: `::rustok_telemetry`, or that of the option `crate = …`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::parse::ParseStream;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Path, Token, parse_quote};

use crate::metrics::diagnostics::Diagnostics;

/// Returns the default path.
pub(crate) fn default() -> Path {
    parse_quote!(::rustok_telemetry)
}

/// Error for an invalid value of `crate = …`.
pub(crate) const WRONG: &str = "the option `crate` is the path of `rustok-telemetry`, or of a crate or module that re-exports it";

/// Suggestion for an invalid value of `crate = …`.
pub(crate) const RIGHT: &str = "write `crate = acme::telemetry`";

/// Returns the path in `crate = acme::telemetry` or `crate = "acme::telemetry"`.
pub(crate) fn given(value: &Expr) -> Option<Path> {
    match value {
        Expr::Group(group) => given(&group.expr),
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => {
            Some(path.path.clone())
        }
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text.parse_with(Path::parse_mod_style).ok(),
        _ => None,
    }
}

/// Removes `#[name(crate = path)]` from a type's attributes. Returns the path, or the default without such an attribute.
pub(crate) fn take(
    attributes: &mut Vec<Attribute>,
    name: &str,
    usage: &str,
    diagnostics: &mut Diagnostics,
) -> Path {
    let mut found = None;
    attributes.retain(|attribute| {
        if !(attribute.path().is_ident(name) && begins_with_crate(attribute)) {
            return true;
        }
        let value = |input: ParseStream<'_>| {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            input.parse::<Expr>()
        };
        let path = attribute.parse_args_with(value);
        match path.ok().as_ref().and_then(given) {
            None => diagnostics.add(attribute, WRONG, right(name), usage),
            Some(path) => {
                if found.replace(path).is_some() {
                    let wrong = "the option `crate` is given twice";
                    diagnostics.add(attribute, wrong, "remove one of the two", usage);
                }
            }
        }
        false
    });
    found.unwrap_or_else(default)
}

fn begins_with_crate(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    let first = list.tokens.clone().into_iter().next();
    matches!(first, Some(TokenTree::Ident(word)) if word == "crate")
}

fn right(name: &str) -> String {
    format!("write `#[{name}(crate = acme::telemetry)]`")
}

/// Returns the path of the private module that generated code uses.
pub(crate) fn private(root: &Path) -> TokenStream {
    private_at(root, Span::call_site())
}

/// Returns the same path. Compiler errors about it point to `span`.
pub(crate) fn private_at(root: &Path, span: Span) -> TokenStream {
    let root = at(root, span);
    quote_spanned!(span=> #root::__private)
}

/// Returns the path `root`. Compiler errors about it point to `span`.
pub(crate) fn at(root: &Path, span: Span) -> TokenStream {
    let tokens = root.to_token_stream().into_iter().map(|mut token| {
        // `$crate` resolves only with its original span.
        if !matches!(&token, TokenTree::Ident(word) if word == "$crate") {
            token.set_span(span);
        }
        token
    });
    tokens.collect()
}
