//! `err(Debug, level = "warn")` and `ret(Display)`: events with the returned value.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use super::USAGE;
use super::level::Level;
use super::parse::{Sigil, Value};
use crate::metrics::diagnostics::Diagnostics;
use crate::metrics::suggest;

/// The settings of `err` or `ret`.
#[derive(Default)]
pub(crate) struct EventSettings {
    pub(crate) level: Option<Level>,
    /// The format of the value, if set.
    pub(crate) format: Option<Sigil>,
}

struct Argument {
    name: Ident,
    value: Option<Expr>,
}

/// Returns the settings. Reports errors, and ignores what is invalid.
pub(crate) fn settings(name: &Ident, value: Value, diagnostics: &mut Diagnostics) -> EventSettings {
    let mut settings = EventSettings::default();
    let list = match value {
        Value::None => return settings,
        Value::List(list) => list,
        Value::Is(_, value) => {
            diagnostics.add(
                value,
                format!("the option `{name}` takes no value"),
                format!("write `{name}`, `{name}(Debug)` or `{name}(level = \"warn\")`"),
                USAGE,
            );
            return settings;
        }
    };
    let arguments = match Punctuated::<Argument, Token![,]>::parse_terminated.parse2(list) {
        Ok(arguments) => arguments,
        Err(error) => {
            diagnostics.add_syntax(&error, USAGE);
            return settings;
        }
    };
    for Argument { name, value } in arguments {
        let twice = match (name.to_string().as_str(), value) {
            ("Debug", None) => settings.format.replace(Sigil::Debug).is_some(),
            ("Display", None) => settings.format.replace(Sigil::Display).is_some(),
            ("level", Some(value)) => Level::given(&value, diagnostics)
                .is_some_and(|l| settings.level.replace(l).is_some()),
            (given, _) => {
                let right = match suggest::closest(given, ["Debug", "Display", "level"]) {
                    Some("level") => "write `level = \"warn\"`".to_owned(),
                    Some(close) => format!("write `{close}`"),
                    None => "the options are `Debug`, `Display` and `level = \"…\"`".to_owned(),
                };
                let wrong = format!("unknown option `{given}`");
                diagnostics.add(&name, wrong, right, USAGE);
                false
            }
        };
        if twice {
            diagnostics.add(
                &name,
                "set twice",
                "write one of `Debug` and `Display`, and one `level`",
                USAGE,
            );
        }
    }
    settings
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { name, value })
    }
}
