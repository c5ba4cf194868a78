//! Bodies of `#[track_caller]` functions.
//!
//! A closure cannot be `#[track_caller]`, so such a body stays in the function, as a labelled block: `return` and `?`
//! become a `break` with the returned value. A `return` or `?` among the arguments of a macro is not visible to this
//! crate and leaves the function itself; then the guard of the call is dropped and records the outcome.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, Expr, ExprAsync, ExprClosure, ExprConst, Item, Lifetime, Path, Stmt};

use super::parse::Function;
use crate::root::private_at;

/// A body that is instrumented in place.
pub(crate) struct InPlace {
    statements: Vec<Stmt>,
}

/// Returns the body of a `#[track_caller]` function; `None` for other functions, and for a body that does not parse,
/// because the compiler reports syntax errors better.
pub(crate) fn body(function: &Function) -> Option<InPlace> {
    if !function.attributes.iter().any(tracks_caller) {
        return None;
    }
    let statements = Block::parse_within.parse2(function.body.clone()).ok()?;
    Some(InPlace { statements })
}

/// Returns whether this is `#[track_caller]`, or `#[cfg_attr(…, track_caller)]`, which is not evaluated yet.
fn tracks_caller(attribute: &Attribute) -> bool {
    let path = attribute.path();
    let decided_later = || {
        let written = attribute.meta.to_token_stream().to_string();
        path.is_ident("cfg_attr") && written.contains("track_caller")
    };
    path.is_ident("track_caller") || decided_later()
}

impl InPlace {
    /// Returns the body as an expression of the function's return type.
    pub(crate) fn expression(mut self, root: &Path) -> TokenStream {
        let mut exits = Exits {
            root,
            label: Lifetime::new("'body", Span::mixed_site()),
            any: false,
        };
        for statement in &mut self.statements {
            exits.visit_stmt_mut(statement);
        }
        let Self { statements } = self;
        // The compiler warns about an unused label.
        let label = exits.any.then(|| {
            let label = &exits.label;
            quote!(#label:)
        });
        quote!(#label { #(#statements)* })
    }
}

/// Rewrites `return` and `?`.
struct Exits<'root> {
    root: &'root Path,
    label: Lifetime,
    any: bool,
}

impl VisitMut for Exits<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        let label = &self.label;
        let exit = match &*expression {
            Expr::Return(returns) => {
                let span = returns.return_token.span;
                let value = returns.expr.as_ref().map(|value| quote!((#value)));
                quote_spanned!(span=> break #label #value)
            }
            Expr::Try(tries) => {
                let span = tries.question_token.span();
                let private = private_at(self.root, span);
                let value = syn::Ident::new("value", Span::mixed_site());
                let tried = &tries.expr;
                quote_spanned! {span=>
                    (match #private::Branch::branch(#tried) {
                        ::core::ops::ControlFlow::Continue(#value) => #value,
                        ::core::ops::ControlFlow::Break(#value) => {
                            break #label #private::FromResidual::from_residual(#value)
                        }
                    })
                }
            }
            _ => return,
        };
        self.any = true;
        *expression = Expr::Verbatim(exit);
    }

    // A `return` or `?` in one of these leaves it, not the function.
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_expr_const_mut(&mut self, _: &mut ExprConst) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
