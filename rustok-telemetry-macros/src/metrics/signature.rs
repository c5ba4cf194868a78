//! Rejects signatures that a declaration cannot have: `async`, generics, `self` …

use quote::ToTokens;
use syn::{FnArg, Signature};

use super::diagnostics::Diagnostics;
use super::kind::Kind;

/// Reports each part of the signature that is invalid in a declaration.
pub(crate) fn check(signature: &Signature, kind: Kind, diagnostics: &mut Diagnostics) {
    let mut refuse = |part: &dyn ToTokens, wrong: &str, right: &str| {
        diagnostics.add(part.to_token_stream(), wrong, right, kind.usage());
    };
    if let Some(part) = &signature.constness {
        refuse(part, "recording a metric is not `const`", "remove `const`");
    }
    if let Some(part) = &signature.asyncness {
        refuse(part, "recording a metric is not `async`", "remove `async`");
    }
    if let Some(part) = &signature.unsafety {
        refuse(part, "recording a metric is safe", "remove `unsafe`");
    }
    if let Some(part) = &signature.abi {
        refuse(
            part,
            "a metric's function is a plain Rust function",
            "remove `extern`",
        );
    }
    if !signature.generics.params.is_empty() {
        refuse(
            &signature.generics,
            "a metric's function has no generics",
            "take labels as `&str`, or as `impl LabelValue`",
        );
    }
    if let Some(part) = &signature.generics.where_clause {
        refuse(
            part,
            "a metric's function has no `where` clause",
            "take labels as `&str`, or as `impl LabelValue`",
        );
    }
    if let Some(part) = &signature.variadic {
        refuse(
            part,
            "a metric's function has a fixed number of parameters",
            "remove `...`",
        );
    }
    if let Some(FnArg::Receiver(part)) = signature.inputs.first() {
        refuse(
            part,
            "a metric's function has no `self`",
            "remove the parameter",
        );
    }
}
