//! The arguments of a function, and how each is recorded.

use proc_macro2::{Ident, Span};
use syn::{FnArg, Pat, Signature, Type};

/// Types that `tracing` records as they are. Others are recorded by their `Debug`.
const VALUES: [&str; 30] = [
    "bool",
    "str",
    "String",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "NonZeroI8",
    "NonZeroI16",
    "NonZeroI32",
    "NonZeroI64",
    "NonZeroI128",
    "NonZeroIsize",
    "NonZeroU8",
    "NonZeroU16",
    "NonZeroU32",
    "NonZeroU64",
    "NonZeroU128",
    "NonZeroUsize",
    "Wrapping",
];

/// A variable that the signature binds.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) record_as: RecordAs,
}

/// How an argument is recorded when nothing is said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordAs {
    Value,
    Debug,
}

/// All variables that the signature binds.
pub(crate) fn of(signature: &Signature) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(_) => parameters.push(Parameter {
                name: Ident::new("self", Span::call_site()),
                record_as: RecordAs::Debug,
            }),
            FnArg::Typed(typed) => bindings(&typed.pat, record_as(&typed.ty), &mut parameters),
        }
    }
    parameters
}

/// The types within a pattern cannot be seen here, so what it binds is recorded by `Debug`.
fn bindings(pattern: &Pat, record_as: RecordAs, found: &mut Vec<Parameter>) {
    let mut inner = |pattern: &Pat| bindings(pattern, RecordAs::Debug, found);
    match pattern {
        Pat::Ident(binding) => found.push(Parameter {
            name: binding.ident.clone(),
            record_as,
        }),
        Pat::Reference(reference) => bindings(&reference.pat, record_as, found),
        Pat::Paren(parens) => bindings(&parens.pat, record_as, found),
        Pat::Struct(pattern) => pattern.fields.iter().for_each(|field| inner(&field.pat)),
        Pat::Tuple(pattern) => pattern.elems.iter().for_each(inner),
        Pat::TupleStruct(pattern) => pattern.elems.iter().for_each(inner),
        _ => {}
    }
}

fn record_as(written: &Type) -> RecordAs {
    match written {
        Type::Reference(reference) => record_as(&reference.elem),
        Type::Group(group) => record_as(&group.elem),
        Type::Paren(parens) => record_as(&parens.elem),
        Type::Path(path)
            if path
                .path
                .segments
                .last()
                .is_some_and(|last| VALUES.iter().any(|value| last.ident == value)) =>
        {
            RecordAs::Value
        }
        _ => RecordAs::Debug,
    }
}
