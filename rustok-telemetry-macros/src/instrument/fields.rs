//! `fields(order.id = 3, %user)` and `record(id, ?filter)`: what a span carries.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token, braced, token};

use super::USAGE;
use super::parameters::{Parameter, RecordAs};
use super::parse::Sigil;
use crate::metrics::problems::Problems;
use crate::metrics::suggest;

/// A field of the span.
pub(crate) struct Field {
    name: Name,
    sigil: Sigil,
    value: FieldValue,
}

enum Name {
    /// `order.id`
    Dotted(Punctuated<Ident, Token![.]>),
    /// `{ORDER_ID}`
    Constant(Expr),
}

enum FieldValue {
    /// Recorded later, or never.
    Empty,
    /// The variable that is called as the field.
    Variable,
    Is(TokenStream),
}

/// An argument that is to be recorded.
struct Recorded {
    sigil: Sigil,
    name: Ident,
}

/// The fields of `fields(…)`, in the syntax of `tracing::instrument`.
pub(crate) fn fields(list: TokenStream, problems: &mut Problems) -> Vec<Field> {
    read(list, problems)
}

/// The field of `tenant_id = …`.
pub(crate) fn tenant(name: &Ident, sigil: Sigil, value: &Expr) -> Field {
    Field {
        name: Name::Dotted([name.clone()].into_iter().collect()),
        sigil,
        value: FieldValue::Is(value.to_token_stream()),
    }
}

/// The fields of `record(…)`. Without a function's parameters nothing is judged.
pub(crate) fn recorded(
    list: TokenStream,
    parameters: Option<&[Parameter]>,
    problems: &mut Problems,
) -> Vec<Field> {
    let mut fields = Vec::new();
    for recorded in read::<Recorded>(list, problems) {
        let Some(parameters) = parameters else {
            continue;
        };
        let Some(parameter) = parameters.iter().find(|p| p.name == recorded.name) else {
            refuse(&recorded.name, parameters, problems);
            continue;
        };
        let sigil = match (recorded.sigil, parameter.record_as) {
            (Sigil::None, RecordAs::Debug) => Sigil::Debug,
            (sigil, _) => sigil,
        };
        fields.push(Field {
            value: FieldValue::Is(recorded.name.to_token_stream()),
            name: Name::Dotted([recorded.name].into_iter().collect()),
            sigil,
        });
    }
    fields
}

/// Reports fields that have the same name.
pub(crate) fn check_names(fields: &[Field], problems: &mut Problems) {
    for (index, field) in fields.iter().enumerate() {
        let Some(name) = field.dotted_name() else {
            continue;
        };
        if fields[..index].iter().any(|other| other.is_called(&name)) {
            problems.add(
                field.name.to_token_stream(),
                format!("the field `{name}` is there twice"),
                "remove one of the two",
                USAGE,
            );
        }
    }
}

impl Field {
    /// Whether this is the field's name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.dotted_name().is_some_and(|own| own == name)
    }

    fn dotted_name(&self) -> Option<String> {
        match &self.name {
            Name::Dotted(name) => {
                let parts: Vec<_> = name.iter().map(|part| part.unraw().to_string()).collect();
                Some(parts.join("."))
            }
            Name::Constant(_) => None,
        }
    }
}

fn read<T: Parse>(list: TokenStream, problems: &mut Problems) -> Vec<T> {
    match Punctuated::<T, Token![,]>::parse_terminated.parse2(list) {
        Ok(list) => list.into_iter().collect(),
        Err(error) => {
            problems.add_syntax(&error, USAGE);
            Vec::new()
        }
    }
}

fn refuse(name: &Ident, parameters: &[Parameter], problems: &mut Problems) {
    let names: Vec<_> = parameters.iter().map(|p| p.name.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let right = match suggest::closest(&name.to_string(), names.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None if names.is_empty() => {
            "the function has none; a field of another value is `fields(name = value)`".to_owned()
        }
        None => format!(
            "the arguments are {}; a field of another value is `fields(name = value)`",
            suggest::list(&names)
        ),
    };
    let wrong = format!("the function has no argument `{name}`");
    problems.add(name, wrong, right, USAGE);
}

impl Parse for Recorded {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            sigil: input.parse()?,
            name: input.call(Ident::parse_any)?,
        })
    }
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let before: Sigil = input.parse()?;
        let name = if input.peek(token::Brace) {
            let content;
            braced!(content in input);
            Name::Constant(content.parse()?)
        } else {
            Name::Dotted(Punctuated::parse_separated_nonempty_with(
                input,
                Ident::parse_any,
            )?)
        };
        if input.parse::<Option<Token![=]>>()?.is_none() {
            // As `tracing::instrument` has it: a name alone is a field without a value.
            let value = match before {
                Sigil::None => FieldValue::Empty,
                Sigil::Display | Sigil::Debug => FieldValue::Variable,
            };
            return Ok(Self {
                name,
                sigil: before,
                value,
            });
        }
        let after: Sigil = input.parse()?;
        Ok(Self {
            name,
            sigil: if after == Sigil::None { before } else { after },
            value: FieldValue::Is(input.parse::<Expr>()?.to_token_stream()),
        })
    }
}

impl ToTokens for Field {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (name, sigil) = (&self.name, self.sigil);
        tokens.extend(match &self.value {
            FieldValue::Empty => {
                quote!(#name = ::rustok_telemetry::__private::tracing::field::Empty)
            }
            FieldValue::Variable => quote!(#sigil #name),
            FieldValue::Is(value) => quote!(#name = #sigil #value),
        });
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Dotted(name) => name.to_tokens(tokens),
            Self::Constant(constant) => tokens.extend(quote!({ #constant })),
        }
    }
}

impl ToTokens for Sigil {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::None => {}
            Self::Display => tokens.extend(quote!(%)),
            Self::Debug => tokens.extend(quote!(?)),
        }
    }
}
