//! Parses the options of an attribute, such as `name = "…", series = 3, without_total`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path, Token};

use super::diagnostics::Diagnostics;
use super::kind::Kind;
use super::suggest;
use crate::root;

/// The options of an attribute: each is known and unique.
pub(crate) struct Options {
    given: Vec<Given>,
    /// Suggestions for misspelled options.
    meant: Vec<String>,
    /// Whether the whole attribute was parsed.
    readable: bool,
    usage: &'static str,
}

/// One option, as written.
struct Given {
    name: Ident,
    value: Option<Expr>,
}

impl Options {
    /// Parses the options of attributes of the form `#[label(…)]` or `#[label]`.
    pub(crate) fn of_attributes(
        attributes: &[&Attribute],
        known: &[&str],
        usage: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut options = Self::none(usage);
        for attribute in attributes {
            match &attribute.meta {
                Meta::Path(_) => {}
                Meta::List(list) => options.read(list.tokens.clone(), known, diagnostics),
                Meta::NameValue(_) => {
                    options.readable = false;
                    let name = attribute.path().to_token_stream();
                    diagnostics.add(
                        attribute,
                        format!("`{name}` takes its options in parentheses"),
                        format!("write `#[{name}(name = \"…\")]`"),
                        usage,
                    );
                }
            }
        }
        options
    }

    /// Parses the tokens between an attribute's parentheses.
    pub(crate) fn of_arguments(
        arguments: TokenStream,
        known: &[&str],
        usage: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut options = Self::none(usage);
        options.read(arguments, known, diagnostics);
        options
    }

    /// Returns whether the option is present, even if invalid or misspelled. Then it is not reported as missing.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.readable || self.find(name).is_some() || self.meant.iter().any(|meant| meant == name)
    }

    /// Returns the value of `name = "…"`.
    pub(crate) fn string(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<LitStr> {
        let given = self.find(name)?;
        match given.value.as_ref().map(ungroup) {
            Some(Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            })) => Some(text.clone()),
            _ => self.refuse(given, "is text", "\"…\"", diagnostics),
        }
    }

    /// Returns the value of `name = 3`, at least 1.
    pub(crate) fn number(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<u32> {
        let given = self.find(name)?;
        let number = match given.value.as_ref().map(ungroup) {
            Some(Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            })) => number.base10_parse::<u32>().ok(),
            _ => None,
        };
        match number {
            Some(number) if number > 0 => Some(number),
            _ => self.refuse(
                given,
                "is a whole number from 1 to 4294967295",
                "100",
                diagnostics,
            ),
        }
    }

    /// Returns the value of `name = some::path`.
    pub(crate) fn path(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<Path> {
        let given = self.find(name)?;
        match given.value.as_ref().map(ungroup) {
            Some(Expr::Path(path)) if path.qself.is_none() && path.attrs.is_empty() => {
                Some(path.path.clone())
            }
            _ => self.refuse(
                given,
                "is the path of a function",
                "super::function",
                diagnostics,
            ),
        }
    }

    /// Returns the path of `rustok_telemetry` that arguments give, or the default, and the other arguments.
    pub(crate) fn take_root(
        arguments: TokenStream,
        usage: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> (Path, TokenStream) {
        let parser = Punctuated::<Given, Token![,]>::parse_terminated;
        // A syntax error is reported with the other arguments.
        let Ok(given) = parser.parse2(arguments.clone()) else {
            return (root::default(), arguments);
        };
        let (roots, others): (Vec<_>, Vec<_>) =
            given.into_iter().partition(|option| option.name == "crate");
        let roots = Self::of_arguments(quote!(#(#roots),*), &["crate"], usage, diagnostics);
        (roots.root(diagnostics), quote!(#(#others),*))
    }

    /// Returns the path of `rustok_telemetry`: the value of `crate = path`, or the default.
    pub(crate) fn root(&self, diagnostics: &mut Diagnostics) -> Path {
        let Some(given) = self.find("crate") else {
            return root::default();
        };
        let path = given.value.as_ref().and_then(root::given);
        path.unwrap_or_else(|| {
            diagnostics.add(&given.name, root::WRONG, root::RIGHT, self.usage);
            root::default()
        })
    }

    /// Returns the value of `name = expression`.
    pub(crate) fn expression(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<Expr> {
        let given = self.find(name)?;
        match &given.value {
            Some(value) => Some(ungroup(value).clone()),
            None => self.refuse(given, "is a constant or a list", "[0.1, 1.0]", diagnostics),
        }
    }

    /// Returns whether the option `name`, which has no value, is set.
    pub(crate) fn flag(&self, name: &str, diagnostics: &mut Diagnostics) -> bool {
        let Some(given) = self.find(name) else {
            return false;
        };
        if let Some(value) = &given.value {
            diagnostics.add(
                value,
                format!("`{name}` takes no value"),
                format!("write `{name}` alone, or leave it out"),
                self.usage,
            );
        }
        true
    }

    fn none(usage: &'static str) -> Self {
        Self {
            given: Vec::new(),
            meant: Vec::new(),
            readable: true,
            usage,
        }
    }

    /// Adds the options in `tokens`. Unknown and repeated options are reported.
    fn read(&mut self, tokens: TokenStream, known: &[&str], diagnostics: &mut Diagnostics) {
        let parser = Punctuated::<Given, Token![,]>::parse_terminated;
        let given = match parser.parse2(tokens) {
            Ok(given) => given,
            Err(error) => {
                self.readable = false;
                diagnostics.add_syntax(&error, self.usage);
                return;
            }
        };
        for option in given {
            let name = option.name.unraw().to_string();
            if !known.contains(&name.as_str()) {
                let close = suggest::closest(&name, known.iter().copied());
                let right = match close {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => format!("the options here are {}", suggest::list(known)),
                };
                diagnostics.add(&option.name, unknown(&name), right, self.usage);
                self.meant.extend(close.map(str::to_owned));
            } else if self.find(&name).is_some() {
                diagnostics.add(
                    &option.name,
                    format!("the option `{name}` is given twice"),
                    "remove one of the two",
                    self.usage,
                );
            } else {
                self.given.push(option);
            }
        }
    }

    fn find(&self, name: &str) -> Option<&Given> {
        self.given.iter().find(|given| given.name.unraw() == name)
    }

    fn refuse<T>(
        &self,
        given: &Given,
        is: &str,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<T> {
        let name = given.name.unraw();
        let wrong = format!("the option `{name}` {is}");
        let right = format!("write `{name} = {example}`");
        match &given.value {
            Some(value) => diagnostics.add(value, wrong, right, self.usage),
            None => diagnostics.add(&given.name, wrong, right, self.usage),
        }
        None
    }
}

impl Parse for Given {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| syn::Error::new(error.span(), "expected the name of an option"))?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { name, value })
    }
}

impl ToTokens for Given {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { name, value } = self;
        let value = value.iter();
        tokens.extend(quote!(#name #(= #value)*));
    }
}

/// Returns the expression without the invisible groups of `macro_rules!` fragments.
fn ungroup(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => ungroup(&group.expr),
        other => other,
    }
}

fn unknown(name: &str) -> String {
    let owners: Vec<&str> = Kind::ALL
        .iter()
        .filter(|kind| kind.options().contains(&name))
        .map(|kind| kind.attribute())
        .collect();
    match owners.is_empty() {
        true => format!("unknown option `{name}`"),
        false => format!(
            "the option `{name}` is not allowed here, it belongs to {}",
            suggest::list(&owners)
        ),
    }
}
