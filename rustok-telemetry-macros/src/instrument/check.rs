//! Checks the options and turns them into settings.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, Lit, LitStr};

use super::parse::{Function, Given, Sigil, Value};
use super::settings::Settings;
use super::{USAGE, events, fields, level::Level, parameters};
use crate::metrics::diagnostics::Diagnostics;
use crate::metrics::suggest;
use crate::root;

/// The options, in the order of the documentation.
const KNOWN: [&str; 15] = [
    "name",
    "level",
    "target",
    "parent",
    "follows_from",
    "fields",
    "record",
    "skip",
    "skip_all",
    "tenant_id",
    "module",
    "severity",
    "err",
    "ret",
    "crate",
];

/// Returns the settings, which are valid only if no error was reported.
pub(crate) fn settings(
    options: Vec<Given>,
    function: Option<&Function>,
    diagnostics: &mut Diagnostics,
) -> Settings {
    let parameters = function.map(|function| parameters::of(&function.signature));
    let mut settings = Settings::default();
    let mut seen: Vec<String> = Vec::new();
    for Given { name, value } in options {
        let option = name.unraw().to_string();
        if seen.contains(&option) {
            diagnostics.add(
                &name,
                format!("the option `{option}` is given twice"),
                "remove one of the two",
                USAGE,
            );
            continue;
        }
        match option.as_str() {
            "name" => settings.name = text_or_constant(&name, &value, "load_product", diagnostics),
            "target" => {
                settings.target = text_or_constant(&name, &value, "shop::load", diagnostics)
            }
            "level" => {
                if let Some(value) = expression(&name, &value, "\"debug\"", diagnostics) {
                    settings.level = Level::given(value, diagnostics).unwrap_or_default();
                }
            }
            "parent" => settings.parent = expression(&name, &value, "&span", diagnostics).cloned(),
            "follows_from" => {
                settings.follows_from = expression(&name, &value, "causes", diagnostics).cloned();
            }
            "fields" => {
                let list = list(&name, value, "order.id = 3, %user", diagnostics);
                settings.fields.extend(fields::fields(list, diagnostics));
            }
            "record" => {
                let list = list(&name, value, "id, %user, ?filter", diagnostics);
                let recorded = fields::recorded(list, parameters.as_deref(), diagnostics);
                settings.fields.extend(recorded);
            }
            "skip" => {
                let list = list(&name, value, "password", diagnostics);
                fields::check_skipped(list, parameters.as_deref(), diagnostics);
            }
            "skip_all" => {
                if !matches!(value, Value::None) {
                    refuse(&name, "takes no value", "skip_all", diagnostics);
                }
            }
            "tenant_id" => match &value {
                Value::Is(sigil, value) => {
                    settings.fields.push(fields::tenant(&name, *sigil, value));
                }
                _ => refuse(&name, "needs a value", "tenant_id = tenant", diagnostics),
            },
            "module" => settings.module = text(&name, &value, "catalog", diagnostics),
            "severity" => settings.severity = text(&name, &value, "warning", diagnostics),
            "err" => {
                settings.err = Some((name.span(), events::settings(&name, value, diagnostics)))
            }
            "crate" => match &value {
                Value::Is(Sigil::None, value) => match root::given(value) {
                    Some(path) => settings.root = path,
                    None => diagnostics.add(value, root::WRONG, root::RIGHT, USAGE),
                },
                _ => diagnostics.add(&name, root::WRONG, root::RIGHT, USAGE),
            },
            "ret" => {
                settings.ret = Some((name.span(), events::settings(&name, value, diagnostics)))
            }
            _ => unknown(&name, &option, diagnostics),
        }
        seen.push(option);
    }
    fields::check_names(&settings.fields, diagnostics);
    if let (Some(severity), None, false) = (
        &settings.severity,
        &settings.module,
        seen.iter().any(|option| option == "module"),
    ) {
        diagnostics.add(
            severity,
            "`severity` has no effect without `module`",
            "add `module = \"…\"`, or remove `severity`",
            USAGE,
        );
    }
    settings
}

/// Returns the value of `name = "text"`, not empty.
fn text(
    name: &Ident,
    value: &Value,
    example: &str,
    diagnostics: &mut Diagnostics,
) -> Option<LitStr> {
    match value {
        Value::Is(
            Sigil::None,
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }),
        ) if !text.value().is_empty() => Some(text.clone()),
        _ => {
            let right = format!("{name} = \"{example}\"");
            refuse(
                name,
                "needs a string that is not empty",
                &right,
                diagnostics,
            );
            None
        }
    }
}

/// Returns the value of `name = "text"` or `name = SOME_CONSTANT`.
fn text_or_constant(
    name: &Ident,
    value: &Value,
    example: &str,
    diagnostics: &mut Diagnostics,
) -> Option<TokenStream> {
    match value {
        Value::Is(Sigil::None, Expr::Path(constant)) => Some(constant.to_token_stream()),
        _ => text(name, value, example, diagnostics).map(ToTokens::into_token_stream),
    }
}

/// Returns the value of `name = expression`.
fn expression<'a>(
    name: &Ident,
    value: &'a Value,
    example: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'a Expr> {
    match value {
        Value::Is(Sigil::None, value) => Some(value),
        _ => {
            refuse(
                name,
                "needs a value",
                &format!("{name} = {example}"),
                diagnostics,
            );
            None
        }
    }
}

/// Returns the tokens of `name(…)`.
fn list(name: &Ident, value: Value, example: &str, diagnostics: &mut Diagnostics) -> TokenStream {
    match value {
        Value::List(list) => list,
        _ => {
            let right = format!("{name}({example})");
            refuse(name, "needs a list in parentheses", &right, diagnostics);
            TokenStream::new()
        }
    }
}

fn refuse(name: &Ident, is: &str, right: &str, diagnostics: &mut Diagnostics) {
    diagnostics.add(
        name,
        format!("the option `{name}` {is}"),
        format!("write `{right}`"),
        USAGE,
    );
}

fn unknown(name: &Ident, option: &str, diagnostics: &mut Diagnostics) {
    let right = match suggest::closest(option, KNOWN) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("the options are {}", suggest::list(&KNOWN)),
    };
    diagnostics.add(name, format!("unknown option `{option}`"), right, USAGE);
}
