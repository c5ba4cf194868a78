//! Splits a module into metric declarations and other items. Only the module itself is checked.

use proc_macro2::TokenStream;
use syn::{Attribute, ForeignItemFn, Item, ItemFn, ItemMod, Signature, Visibility, parse2, token};

use super::check;
use super::diagnostics::{Diagnostics, MODULE_USAGE};
use super::kind::Kind;

/// An inline module.
pub(crate) struct Module {
    pub(crate) items: Vec<ModuleItem>,
    shell: ItemMod,
    brace: token::Brace,
}

/// An item of the module.
pub(crate) enum ModuleItem {
    /// An unchanged item.
    Other(Box<Item>),
    /// A function with a body and a metric attribute, which is an error.
    WithBody(Kind, Box<ItemFn>),
    /// A function without a body.
    Declaration(Box<Declaration>),
}

/// A function without a body.
pub(crate) struct Declaration {
    /// Metric attributes, such as `#[counter(…)]`. A valid declaration has exactly one.
    pub(crate) kinds: Vec<(Kind, Attribute)>,
    pub(crate) docs: Vec<Attribute>,
    /// Other attributes.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
}

/// Parses an inline module; reports an error if it is none.
pub(crate) fn module(item: TokenStream, diagnostics: &mut Diagnostics) -> Option<Module> {
    let mut shell = match parse2::<Item>(item) {
        Ok(Item::Mod(module)) => module,
        Ok(other) => {
            diagnostics.add(
                other,
                "`#[metrics]` goes on a module",
                "put the declarations into a module, and the attribute on it; one function alone has `#[metrics::counter(…)]`",
                MODULE_USAGE,
            );
            return None;
        }
        Err(error) => {
            diagnostics.add_syntax(&error, MODULE_USAGE);
            return None;
        }
    };
    let Some((brace, items)) = shell.content.take() else {
        diagnostics.add(
            &shell,
            format!(
                "`#[metrics]` cannot read the file of the module `{}`",
                shell.ident
            ),
            "write the module's items in braces here",
            MODULE_USAGE,
        );
        return None;
    };
    Some(Module {
        items: items.into_iter().map(sort_item).collect(),
        shell,
        brace,
    })
}

/// Parses a function without a body, for a metric of this kind; reports an error if it is none.
pub(crate) fn function(
    item: TokenStream,
    kind: Kind,
    diagnostics: &mut Diagnostics,
) -> Option<Declaration> {
    if let Ok(function) = parse2::<ForeignItemFn>(item.clone()) {
        return Some(sort_attributes(function));
    }
    match parse2::<ItemFn>(item.clone()) {
        Ok(function) => check::has_body(&function, kind, diagnostics),
        Err(_) => diagnostics.add(
            item,
            format!(
                "`#[{}]` goes on a function without a body",
                kind.attribute()
            ),
            "write the function, which the macro completes, below the attribute",
            kind.usage(),
        ),
    }
    None
}

/// Returns the kind that an attribute declares.
pub(crate) fn kind_of(attribute: &Attribute) -> Option<Kind> {
    Kind::from_attribute(&attribute.path().get_ident()?.to_string())
}

impl Module {
    /// Returns the module with `items` in place of its own.
    pub(crate) fn around(self, items: Vec<Item>) -> ItemMod {
        ItemMod {
            content: Some((self.brace, items)),
            ..self.shell
        }
    }
}

fn sort_item(item: Item) -> ModuleItem {
    match item {
        Item::Fn(function) => match function.attrs.iter().find_map(kind_of) {
            Some(kind) => ModuleItem::WithBody(kind, Box::new(function)),
            None => ModuleItem::Other(Box::new(Item::Fn(function))),
        },
        // syn returns a function without a body as tokens, because it is invalid outside of traits and `extern` blocks.
        Item::Verbatim(tokens) => match parse2::<ForeignItemFn>(tokens.clone()) {
            Ok(function) => ModuleItem::Declaration(Box::new(sort_attributes(function))),
            Err(_) => ModuleItem::Other(Box::new(Item::Verbatim(tokens))),
        },
        other => ModuleItem::Other(Box::new(other)),
    }
}

fn sort_attributes(function: ForeignItemFn) -> Declaration {
    let mut declaration = Declaration {
        kinds: Vec::new(),
        docs: Vec::new(),
        attributes: Vec::new(),
        visibility: function.vis,
        signature: function.sig,
    };
    for attribute in function.attrs {
        match kind_of(&attribute) {
            Some(kind) => declaration.kinds.push((kind, attribute)),
            None if attribute.path().is_ident("doc") => declaration.docs.push(attribute),
            None => declaration.attributes.push(attribute),
        }
    }
    declaration
}
