//! `level = "debug"`: a string, a number from 1 to 5, or the path of a constant.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Lit, Path};

use super::USAGE;
use crate::metrics::diagnostics::Diagnostics;
use crate::root::private;

const NAMES: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// A level of `tracing`.
pub(crate) enum Level {
    Named(&'static str),
    /// The path of a constant.
    Constant(TokenStream),
}

impl Default for Level {
    fn default() -> Self {
        Self::Named("info")
    }
}

impl Level {
    /// Returns the default level of `err` events.
    pub(crate) fn error() -> Self {
        Self::Named("error")
    }

    /// Parses a level; reports an error if it is invalid.
    pub(crate) fn given(value: &Expr, diagnostics: &mut Diagnostics) -> Option<Self> {
        let name = match value {
            Expr::Path(path) => return Some(Self::Constant(path.to_token_stream())),
            Expr::Lit(ExprLit { lit, .. }) => match lit {
                Lit::Str(text) => NAMES
                    .into_iter()
                    .find(|name| text.value().eq_ignore_ascii_case(name)),
                Lit::Int(number) => number
                    .base10_parse::<usize>()
                    .ok()
                    .and_then(|number| NAMES.get(number.checked_sub(1)?).copied()),
                _ => None,
            },
            _ => None,
        };
        if name.is_none() {
            diagnostics.add(
                value,
                "not a level",
                "write \"trace\", \"debug\", \"info\", \"warn\" or \"error\", or a constant such as `Level::DEBUG`",
                USAGE,
            );
        }
        name.map(Self::Named)
    }

    pub(crate) fn tokens(&self, root: &Path) -> TokenStream {
        match self {
            Self::Named(name) => {
                let private = private(root);
                let name = Ident::new(&name.to_uppercase(), Span::call_site());
                quote!(#private::tracing::Level::#name)
            }
            Self::Constant(path) => path.clone(),
        }
    }
}
