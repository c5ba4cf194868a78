//! The functions of a module, and the check that generated timer functions do not collide with them.

use std::collections::HashMap;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Attribute, Item};

use super::diagnostics::Diagnostics;
use super::metric::Metric;
use super::parse::ModuleItem;
use super::timer;

/// Named items of the module.
#[derive(Default)]
pub(crate) struct Functions(HashMap<String, Vec<Known>>);

struct Known {
    /// Description for the error message.
    words: String,
    /// Whether the item has a `#[cfg]`.
    conditional: bool,
}

impl Functions {
    /// Collects the functions, constants and statics written in the module.
    pub(crate) fn written(items: &[ModuleItem]) -> Self {
        let mut functions = Self::default();
        for item in items {
            if let Some((name, attributes)) = named(item) {
                functions.add(name, "another function".to_owned(), attributes);
            }
        }
        functions
    }

    /// Returns the name of the metric's timer function; `None` if the metric has no timer, or if the name is taken,
    /// which is reported. Items with a `#[cfg]` may share a name.
    pub(crate) fn timer(
        &mut self,
        metric: &Metric,
        diagnostics: &mut Diagnostics,
    ) -> Option<Ident> {
        let timer = timer::name(metric)?;
        let function = &metric.function;
        let conditional = is_conditional(&metric.attributes);
        let known = self.0.get(&timer.to_string());
        let other = known
            .into_iter()
            .flatten()
            .find(|other| !(conditional && other.conditional));
        if let Some(other) = other {
            diagnostics.add(
                function,
                format!(
                    "the timer of `{function}` is named `{timer}`, like {}",
                    other.words
                ),
                "rename one of the two",
                metric.kind.usage(),
            );
            return None;
        }
        let words = format!("the timer of `{function}`");
        self.add(&timer, words, &metric.attributes);
        Some(timer)
    }

    /// Returns whether no item has this name.
    pub(crate) fn is_free(&self, name: &Ident) -> bool {
        !self.0.contains_key(&name.to_string())
    }

    fn add(&mut self, name: &Ident, words: String, attributes: &[Attribute]) {
        let conditional = is_conditional(attributes);
        let known = Known { words, conditional };
        let name = name.unraw().to_string();
        self.0.entry(name).or_default().push(known);
    }
}

/// Returns the name of a function, constant or static, which share a namespace.
fn named(item: &ModuleItem) -> Option<(&Ident, &[Attribute])> {
    match item {
        ModuleItem::Declaration(declaration) => {
            Some((&declaration.signature.ident, &declaration.attributes))
        }
        ModuleItem::WithBody(_, function) => Some((&function.sig.ident, &function.attrs)),
        ModuleItem::Other(item) => match &**item {
            Item::Fn(function) => Some((&function.sig.ident, &function.attrs)),
            Item::Const(constant) => Some((&constant.ident, &constant.attrs)),
            Item::Static(constant) => Some((&constant.ident, &constant.attrs)),
            _ => None,
        },
    }
}

fn is_conditional(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg"))
}
