//! The names of the built-in metrics: the prefix that the service sets, and whether they have the label `tenant_id`.
//!
//! Declarations are static. Where names or labels differ from them, a declaration in effect takes their place when
//! telemetry starts, for all readers.

use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

use foldhash::fast::RandomState;

use super::{Declaration, Label, catalogue};
use crate::config::Diagnostic;

/// Prefix of the declared names.
const DECLARED_PREFIX: &str = "rustok";

/// The label of the tenant.
const TENANT: &str = "tenant_id";

/// Maximum length of an instrument's name in OpenTelemetry, in characters.
const LONGEST_NAME: usize = 255;

/// Names and labels of the built-in metrics, as the service sets them.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    pub(crate) prefix: Option<String>,
    pub(crate) without_tenants: bool,
}

struct InEffect {
    #[cfg(feature = "console")]
    prefix: String,
    /// By the address of the declared one; without those that are as declared.
    declarations: HashMap<usize, &'static Declaration, RandomState>,
}

static IN_EFFECT: OnceLock<InEffect> = OnceLock::new();

/// Returns the declaration in effect of a declared metric.
pub(super) fn in_effect(declared: &'static Declaration) -> &'static Declaration {
    let found = IN_EFFECT
        .get()
        .and_then(|all| all.declarations.get(&address(declared)));
    found.copied().unwrap_or(declared)
}

fn address(declared: &'static Declaration) -> usize {
    std::ptr::from_ref(declared).addr()
}

/// Returns the position of the label that the declaration in effect omits.
pub(super) fn omitted(declared: &Declaration, in_effect: &Declaration) -> Option<usize> {
    let mut labels = declared.labels.iter();
    labels.position(|label| !in_effect.labels.contains(label))
}

/// Returns the prefix in effect, without the `_` that follows it.
#[cfg(feature = "console")]
pub(crate) fn prefix() -> &'static str {
    IN_EFFECT.get().map_or(DECLARED_PREFIX, |all| &all.prefix)
}

/// Whether this crate declares a metric.
pub(crate) fn is_built_in(declaration: &Declaration) -> bool {
    declaration.module.starts_with("rustok_telemetry::")
}

impl Naming {
    /// Returns what is wrong with the prefix. It is then ignored.
    pub(crate) fn diagnostic(&self) -> Option<Diagnostic> {
        let prefix = self.prefix.as_deref()?;
        let why = prefix_problems(prefix);
        (!why.is_empty()).then(|| Diagnostic::of_method("Builder::metric_prefix", prefix, &why))
    }

    /// Returns a message for each name that more than one metric has, with the declaring functions.
    pub(crate) fn duplicates(&self) -> Vec<String> {
        let all = catalogue().into_iter();
        let mut all: Vec<_> = all.map(|metric| (self.name(metric), metric)).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        let same = all.chunk_by(|(one, _), (other, _)| one == other);
        same.filter(|same| same.len() > 1)
            .map(|same| {
                let place = |(_, metric): &(_, &Declaration)| {
                    format!("{}::{}", metric.module, metric.function)
                };
                let places: Vec<_> = same.iter().map(place).collect();
                let renamed = same.iter().any(|(name, metric)| name != metric.name);
                let renamed = renamed.then(|| {
                    let prefix = self.prefix();
                    format!(
                        "; the prefix is that of metric_prefix({prefix:?}): set another, or rename the metric"
                    )
                });
                format!(
                    "metric {} is declared more than once: {}{}",
                    same[0].0,
                    places.join(", "),
                    renamed.unwrap_or_default()
                )
            })
            .collect()
    }

    /// Puts the names and labels into effect, for the rest of the process. Has to come before the installation of the
    /// instruments.
    pub(crate) fn apply(&self) {
        let declared = catalogue().into_iter();
        let changed =
            declared.filter_map(|declared| Some((address(declared), self.changed(declared)?)));
        let in_effect = InEffect {
            #[cfg(feature = "console")]
            prefix: self.prefix().to_owned(),
            declarations: changed.collect(),
        };
        // Telemetry starts once in a process.
        let _ = IN_EFFECT.set(in_effect);
    }

    fn prefix(&self) -> &str {
        let prefix = self.prefix.as_deref();
        let valid = prefix.filter(|prefix| prefix_problems(prefix).is_empty());
        valid.unwrap_or(DECLARED_PREFIX)
    }

    fn name(&self, declared: &'static Declaration) -> Cow<'static, str> {
        let renamed = is_built_in(declared)
            .then(|| declared.name.strip_prefix(DECLARED_PREFIX))
            .flatten();
        match renamed {
            Some(rest) => Cow::Owned(format!("{}{rest}", self.prefix())),
            // Metrics of the process have the names of the Prometheus client libraries.
            None => Cow::Borrowed(declared.name),
        }
    }

    /// Returns the declaration in effect of a built-in metric; `None` if it is as declared.
    fn changed(&self, declared: &'static Declaration) -> Option<&'static Declaration> {
        let omits = |label: &Label| self.without_tenants && label.name == TENANT;
        let name = self.name(declared);
        let is_changed = name != declared.name || declared.labels.iter().any(omits);
        (is_built_in(declared) && is_changed).then(|| {
            let labels = declared.labels.iter().copied();
            let labels: Vec<_> = labels.filter(|label| !omits(label)).collect();
            // Static like the declaration that it replaces.
            &*Box::leak(Box::new(Declaration {
                name: String::leak(name.into_owned()),
                labels: Vec::leak(labels),
                ..declared.clone()
            }))
        })
    }
}

/// Returns everything that is wrong with a prefix; empty if it is valid.
pub fn prefix_problems(prefix: &str) -> String {
    let mut problems = Vec::new();
    if prefix.is_empty() {
        problems.push("it is empty".to_owned());
    }
    if prefix.starts_with(|first: char| first.is_ascii_digit() || first == '_') {
        problems.push("it does not begin with a letter".to_owned());
    }
    let is_allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
    let mut refused: Vec<_> = prefix.chars().filter(|c| !is_allowed(c)).collect();
    refused.sort_unstable();
    refused.dedup();
    if !refused.is_empty() {
        let refused: Vec<_> = refused.iter().map(|c| format!("{c:?}")).collect();
        problems.push(format!("it contains {}", refused.join(", ")));
    }
    if prefix.contains("__") {
        problems.push("it contains `__`".to_owned());
    }
    if prefix.ends_with('_') {
        problems.push("it ends in `_`, which is added anyway".to_owned());
    }
    let declared = catalogue().into_iter().filter(|metric| is_built_in(metric));
    let rests = declared.filter_map(|metric| metric.name.strip_prefix(DECLARED_PREFIX));
    let longest = prefix.len() + rests.map(str::len).max().unwrap_or_default();
    if longest > LONGEST_NAME {
        problems.push(format!(
            "the longest name would have {longest} characters, and OpenTelemetry allows {LONGEST_NAME}"
        ));
    }
    problems.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Kind;

    #[test]
    fn all_errors_of_a_prefix_are_one_diagnostic() {
        let text = |prefix: &str| {
            let naming = Naming {
                prefix: Some(prefix.to_owned()),
                ..Naming::default()
            };
            assert_eq!(naming.prefix() == prefix, naming.diagnostic().is_none());
            naming.diagnostic().map(|diagnostic| diagnostic.to_string())
        };
        for right in ["shop", "web_shop", "s3", "rustok", "a"] {
            assert_eq!(text(right), None);
        }
        let allowed = "Allowed: lower-case words joined by single `_`, beginning with a letter, such as `web_shop`";
        for (wrong, why) in [
            ("", "it is empty"),
            (
                "_",
                "it does not begin with a letter; it ends in `_`, which is added anyway",
            ),
            (
                "9-Shop_",
                "it does not begin with a letter; it contains '-', 'S'; it ends in `_`, which is added anyway",
            ),
            ("a__b", "it contains `__`"),
            ("a:b", "it contains ':'"),
        ] {
            let expected = format!("Builder::metric_prefix={wrong}: {why}. {allowed}");
            assert_eq!(text(wrong), Some(expected));
        }
        let long = text(&"a".repeat(250)).unwrap_or_default();
        assert!(long.contains("OpenTelemetry allows 255"), "{long}");
        let line = text("a\nb").unwrap_or_default();
        assert!(line.starts_with("Builder::metric_prefix=a\\nb: "), "{line}");
    }

    /// The values of tenants that an observable reports are not summed.
    #[test]
    fn no_built_in_observable_has_tenants() {
        for metric in catalogue().into_iter().filter(|metric| is_built_in(metric)) {
            let observed = matches!(metric.kind, Kind::ObservableCounter | Kind::ObservableGauge);
            let tenants = metric.labels.iter().any(|label| label.name == TENANT);
            assert!(!(observed && tenants), "{}", metric.name);
        }
    }
}
