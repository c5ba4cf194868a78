//! The functions of a module, and the check that timers do not take their names.

use std::collections::HashMap;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Attribute, Item};

use super::diagnostics::Diagnostics;
use super::metric::Metric;
use super::parse::ModuleItem;
use super::timer;

/// What is known by name.
#[derive(Default)]
pub(crate) struct Functions(HashMap<String, Vec<Known>>);

struct Known {
    /// Description for the error message.
    words: String,
    /// Whether a `#[cfg]` decides if it is there.
    conditional: bool,
}

impl Functions {
    /// The functions, constants and statics that are written in the module.
    pub(crate) fn written(items: &[ModuleItem]) -> Self {
        let mut functions = Self::default();
        for item in items {
            if let Some((name, attributes)) = named(item) {
                functions.add(name, "another function".to_owned(), attributes);
            }
        }
        functions
    }

    /// The function that starts the metric's timer: nothing where the metric has none, or where its name is taken,
    /// which is a problem. Two that `#[cfg]`s tell apart may share a name.
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
                    "the timer of `{function}` is called `{timer}`, and so is {}",
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

    /// Whether nothing has this name.
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

/// The name that an item takes among the functions.
fn named(item: &ModuleItem) -> Option<(&Ident, &[Attribute])> {
    match item {
        ModuleItem::Declaration(declaration) => {
            Some((&declaration.signature.ident, &declaration.attributes))
        }
        ModuleItem::WithBody(function) => Some((&function.sig.ident, &function.attrs)),
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
