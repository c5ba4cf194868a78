//! Fields of a span: `fields(order.id = 3, %user)` and `record(id, ?filter, user.id)`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Member, Path, Token, braced, token};

use super::USAGE;
use super::parse::Sigil;
use crate::metrics::diagnostics::Diagnostics;
use crate::metrics::suggest;
use crate::root::{private, private_at};

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
    /// `pair.0`: the source text of a place expression.
    Place { text: String, place: Expr },
}

enum FieldValue {
    /// No value; one may be recorded later.
    Empty,
    /// The variable with the name of the field.
    Variable,
    /// A value in the syntax of `tracing`.
    Is(TokenStream),
    /// Recorded by type: numbers, `bool` and text unchanged, `None` not at all, other types by `Debug`.
    Argument(TokenStream),
    /// Like an argument, but only numbers, `bool` and text are allowed.
    Tenant(TokenStream),
}

/// An argument to record, or a field of one.
struct Recorded {
    sigil: Sigil,
    value: Expr,
}

/// Parses `fields(…)`, in the syntax of `tracing::instrument`.
pub(crate) fn fields(list: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Field> {
    read(list, diagnostics)
}

/// Returns the field of `tenant_id = …`.
pub(crate) fn tenant(name: &Ident, sigil: Sigil, value: &Expr) -> Field {
    let value = value.to_token_stream();
    Field {
        name: Name::Dotted([name.clone()].into_iter().collect()),
        sigil,
        value: match sigil {
            Sigil::None => FieldValue::Tenant(value),
            Sigil::Display | Sigil::Debug => FieldValue::Is(value),
        },
    }
}

/// Parses `record(…)`. Without parameters, because the function did not parse, the names are not checked.
pub(crate) fn recorded(
    list: TokenStream,
    parameters: Option<&[Ident]>,
    diagnostics: &mut Diagnostics,
) -> Vec<Field> {
    let mut fields = Vec::new();
    for Recorded { sigil, value } in read(list, diagnostics) {
        let Some((root, text)) = place(&value) else {
            diagnostics.add(
                &value,
                "`record` takes arguments and fields of arguments, such as `id`, `user.id` or `pair.0`",
                "write another value as `fields(name = value)`",
                USAGE,
            );
            continue;
        };
        let Some(parameters) = parameters else {
            continue;
        };
        if !parameters.contains(&root) {
            refuse(&root, parameters, diagnostics);
            continue;
        }
        let tokens = value.to_token_stream();
        fields.push(Field {
            name: Name::Place { text, place: value },
            sigil,
            value: match sigil {
                Sigil::None => FieldValue::Argument(tokens),
                Sigil::Display | Sigil::Debug => FieldValue::Is(tokens),
            },
        });
    }
    fields
}

/// Checks that `skip(…)` names parameters. It has no other effect: only named arguments are recorded.
pub(crate) fn check_skipped(
    list: TokenStream,
    parameters: Option<&[Ident]>,
    diagnostics: &mut Diagnostics,
) {
    let Some(parameters) = parameters else { return };
    for skipped in read::<Expr>(list, diagnostics) {
        let name = match &skipped {
            Expr::Path(path) => path.path.get_ident(),
            _ => None,
        };
        match name {
            Some(name) if parameters.contains(name) => {}
            Some(name) => refuse(name, parameters, diagnostics),
            None => diagnostics.add(
                &skipped,
                "`skip` takes names of arguments",
                "write `skip(password)`, or leave it out: only arguments named in `record` are recorded",
                USAGE,
            ),
        }
    }
}

/// Returns the variable at the start of a chain of field accesses, and the chain as text.
fn place(value: &Expr) -> Option<(Ident, String)> {
    match value {
        Expr::Path(path) if path.attrs.is_empty() && path.qself.is_none() => {
            let variable = path.path.get_ident()?;
            Some((variable.clone(), variable.unraw().to_string()))
        }
        Expr::Field(field) if field.attrs.is_empty() => {
            let (variable, before) = place(&field.base)?;
            let text = match &field.member {
                Member::Named(name) => format!("{before}.{}", name.unraw()),
                Member::Unnamed(index) => format!("{before}.{}", index.index),
            };
            Some((variable, text))
        }
        Expr::Group(group) => place(&group.expr),
        _ => None,
    }
}

/// Reports fields that have the same name.
pub(crate) fn check_names(fields: &[Field], diagnostics: &mut Diagnostics) {
    for (index, field) in fields.iter().enumerate() {
        let Some(name) = field.dotted_name() else {
            continue;
        };
        if fields[..index].iter().any(|other| other.is_called(&name)) {
            diagnostics.add(
                field.name.written(),
                format!("the field `{name}` is set twice"),
                "remove one of the two",
                USAGE,
            );
        }
    }
}

impl Field {
    /// Returns whether this is the field's name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.dotted_name().is_some_and(|own| own == name)
    }

    fn dotted_name(&self) -> Option<String> {
        match &self.name {
            Name::Dotted(name) => {
                let parts: Vec<_> = name.iter().map(|part| part.unraw().to_string()).collect();
                Some(parts.join("."))
            }
            Name::Place { text, .. } => Some(text.clone()),
            Name::Constant(_) => None,
        }
    }
}

impl Name {
    /// Returns the tokens that an error points to.
    fn written(&self) -> TokenStream {
        match self {
            Self::Place { place, .. } => place.to_token_stream(),
            other => other.to_token_stream(),
        }
    }
}

fn read<T: Parse>(list: TokenStream, diagnostics: &mut Diagnostics) -> Vec<T> {
    match Punctuated::<T, Token![,]>::parse_terminated.parse2(list) {
        Ok(list) => list.into_iter().collect(),
        Err(error) => {
            diagnostics.add_syntax(&error, USAGE);
            Vec::new()
        }
    }
}

fn refuse(name: &Ident, parameters: &[Ident], diagnostics: &mut Diagnostics) {
    let names: Vec<_> = parameters.iter().map(Ident::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let right = match suggest::closest(&name.to_string(), names.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None if names.is_empty() => {
            "it has no arguments; write `fields(name = value)` to record another value".to_owned()
        }
        None => format!(
            "its arguments are {}; write `fields(name = value)` to record another value",
            suggest::list(&names)
        ),
    };
    let wrong = format!("the function has no argument `{name}`");
    diagnostics.add(name, wrong, right, USAGE);
}

impl Parse for Recorded {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            sigil: input.parse()?,
            value: input.parse()?,
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
            // As in `tracing::instrument`, a name alone declares a field without a value.
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

impl Field {
    /// Generates the field in the syntax of `tracing`'s macros.
    pub(crate) fn tokens(&self, root: &Path) -> TokenStream {
        let (name, sigil) = (&self.name, self.sigil);
        let private = private(root);
        match &self.value {
            FieldValue::Empty => quote!(#name = #private::tracing::field::Empty),
            FieldValue::Variable => quote!(#sigil #name),
            FieldValue::Is(value) => quote!(#name = #sigil #value),
            FieldValue::Argument(value) => {
                recording(root, name, value, &quote!(ByDebug as _, ByOption as _))
            }
            FieldValue::Tenant(value) => recording(root, name, value, &quote!(NeedsValue as _)),
        }
    }
}

/// Generates a field whose value is converted by the first applicable trait: `ByType`, else `others`.
fn recording(root: &Path, name: &Name, value: &TokenStream, others: &TokenStream) -> TokenStream {
    let recorded = Ident::new("recorded", Span::mixed_site());
    let traits = private(root);
    let span = value.span();
    let private = private_at(root, span);
    let record = quote_spanned!(span=> (&&&#private::Recording(#recorded)).__rustok_recorded());
    // `match` keeps temporary values of the expression alive until the span has recorded them.
    quote! {
        #name = match &#value {
            #recorded => {
                use #traits::{ByType as _, #others};
                #record
            }
        }
        .as_value()
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Dotted(name) => name.to_tokens(tokens),
            Self::Constant(constant) => tokens.extend(quote!({ #constant })),
            Self::Place { text, .. } => text.to_tokens(tokens),
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
