//! How the body of a function is instrumented: in a closure, in place, or as the future that it returns.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Block, Expr, ExprAsync, ExprPath, Stmt};

use super::in_place::{self, InPlace};
use super::parse::Function;

/// The body of a function.
pub(crate) enum Body {
    /// It runs when the function is called.
    Blocking(TokenStream),
    /// The same, in a `#[track_caller]` function: a closure would hide the caller.
    InPlace(InPlace),
    /// It is that of an `async fn`.
    Asynchronous(TokenStream),
    /// The function makes a future from an `async` block, as what `#[async_trait]` writes does.
    MakesFuture(Box<MakesFuture>),
}

/// `…; Box::pin(async move { … })`, or the block alone.
pub(crate) struct MakesFuture {
    pub(crate) before: Vec<Stmt>,
    /// `Box::pin`
    pub(crate) boxed_by: Option<ExprPath>,
    pub(crate) block: ExprAsync,
}

/// The function's body.
pub(crate) fn of(function: &Function) -> Body {
    if function.signature.asyncness.is_some() {
        return Body::Asynchronous(function.body.clone());
    }
    if let Some(makes) = makes_future(&function.body) {
        return Body::MakesFuture(Box::new(makes));
    }
    match in_place::body(function) {
        Some(body) => Body::InPlace(body),
        None => Body::Blocking(function.body.clone()),
    }
}

/// A body that cannot be read is left to the compiler, whose message is the better one.
fn makes_future(body: &TokenStream) -> Option<MakesFuture> {
    let mut before = Block::parse_within.parse2(body.clone()).ok()?;
    let Some(Stmt::Expr(last, None)) = before.pop() else {
        return None;
    };
    let (boxed_by, block) = match last {
        Expr::Async(block) => (None, block),
        Expr::Call(call) => {
            let Expr::Path(function) = *call.func else {
                return None;
            };
            let mut arguments = call.args.into_iter();
            match (arguments.next(), arguments.next()) {
                (Some(Expr::Async(block)), None) if is_box_pin(&function) => {
                    (Some(function), block)
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(MakesFuture {
        before,
        boxed_by,
        block,
    })
}

fn is_box_pin(function: &ExprPath) -> bool {
    let path = function.path.to_token_stream().to_string();
    path.replace(' ', "").ends_with("Box::pin")
}
