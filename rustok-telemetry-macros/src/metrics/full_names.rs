//! Full names of metrics: their common prefix, and the check that they are unique.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use syn::Path;

use super::diagnostics::{Diagnostics, MODULE_USAGE};
use super::metric::Metric;
use super::names;
use super::options::Options;

/// The options of the module.
pub(crate) struct Arguments {
    /// Path of `rustok_telemetry`.
    pub(crate) root: Path,
    /// `None` if it is invalid.
    pub(crate) prefix: Option<Prefix>,
}

/// The prefix of every metric name in the module: `{namespace}_{subsystem}`. Empty for a metric outside of a module.
pub(crate) struct Prefix(String);

/// The full names declared so far, with their functions.
#[derive(Default)]
pub(crate) struct FullNames(HashMap<String, Vec<Known>>);

/// The function that declares a name.
struct Known {
    function: String,
    /// Whether the function has a `#[cfg]`.
    conditional: bool,
}

impl Arguments {
    /// Parses `namespace = "…", subsystem = "…", crate = path`.
    pub(crate) fn read(arguments: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let before = diagnostics.count();
        let known = ["namespace", "subsystem", "crate"];
        let options = Options::of_arguments(arguments, &known, MODULE_USAGE, diagnostics);
        let prefix = Prefix::of(&options, diagnostics);
        let prefix = (diagnostics.count() == before).then_some(prefix);
        let root = options.root(diagnostics);
        Self { root, prefix }
    }
}

impl Prefix {
    fn of(options: &Options, diagnostics: &mut Diagnostics) -> Self {
        if !options.has("namespace") {
            diagnostics.add(
                TokenStream::new(),
                "the namespace is missing",
                "write `namespace = \"…\"`: the first word of every metric's name in this module",
                MODULE_USAGE,
            );
        }
        let mut parts = Vec::new();
        for part in ["namespace", "subsystem"] {
            let Some(text) = options.string(part, diagnostics) else {
                continue;
            };
            let value = text.value();
            if let Some(complaint) = names::spelling(&format!("the {part}"), &value) {
                diagnostics.add(&text, complaint.wrong, complaint.right, MODULE_USAGE);
            }
            parts.push(value);
        }
        Self(parts.join("_"))
    }

    /// Returns the prefix of a metric outside of a module.
    pub(crate) fn none() -> Self {
        Self(String::new())
    }

    /// Returns the full name of the metric `name`.
    pub(crate) fn full_name(&self, name: &str) -> String {
        match self.is_none() {
            true => name.to_owned(),
            false => format!("{}_{name}", self.0),
        }
    }

    /// Returns whether names are written in full.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl FullNames {
    /// Returns whether no earlier metric has the same name, else reports an error. Metrics with a `#[cfg]` may share a
    /// name.
    pub(crate) fn is_new(&mut self, metric: &Metric, diagnostics: &mut Diagnostics) -> bool {
        let conditional = metric.attributes.iter().any(|a| a.path().is_ident("cfg"));
        let known = self.0.entry(metric.full_name.clone()).or_default();
        let other = known
            .iter()
            .find(|other| !(conditional && other.conditional));
        if let Some(other) = other {
            diagnostics.add(
                &metric.function,
                format!(
                    "`{}` is declared twice: `{}` has this name already",
                    metric.full_name, other.function
                ),
                "rename one of the two, or declare one function with the labels of both",
                metric.kind.usage(),
            );
            return false;
        }
        known.push(Known {
            function: metric.function.to_string(),
            conditional,
        });
        true
    }
}
