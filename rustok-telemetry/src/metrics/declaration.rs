//! The catalogue: one entry for each metric that any crate of the program declares.
//!
//! The macro [`metrics`](macro@crate::metrics) adds the entries, which are collected at link time. Documentation, JSON
//! catalogue, label budgets and instruments are derived from them.

use super::{DEFAULT_SERIES_LIMIT, registered::ALL};

/// The catalogue entry of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Full name, the same for all exporters, such as `rustok_event_bus_published_total`.
    pub name: &'static str,
    /// Kind of the instrument.
    pub kind: Kind,
    /// Type of the recorded value.
    pub value: ValueType,
    /// Unit in UCUM notation (`s`, `By`); empty if there is none.
    pub unit: &'static str,
    /// Help text: the first paragraph of the declaration's doc comment.
    pub help: &'static str,
    /// Labels in the order of the function's parameters.
    pub labels: &'static [Label],
    /// Upper bounds of the buckets; empty unless the metric is a histogram.
    pub boundaries: &'static [f64],
    /// Series limit that the declaration sets with `series = …`.
    pub series: Option<usize>,
    /// Name of the declared function.
    pub function: &'static str,
    /// Name of the function that starts a [timer](super::Timer); every histogram of seconds has one.
    pub timer: Option<&'static str>,
    /// Path of the declaring module.
    pub module: &'static str,
}

impl Declaration {
    /// Returns the maximum number of series of this metric.
    ///
    /// It is `series = …` of the declaration, or else [`DEFAULT_SERIES_LIMIT`]; but never more than the product of the
    /// label budgets, each plus one for `other`.
    pub fn series_limit(&self) -> usize {
        self.series
            .unwrap_or(DEFAULT_SERIES_LIMIT)
            .min(self.possible_series())
            .max(1)
    }

    /// Returns the number of series that the label budgets allow.
    pub(super) fn possible_series(&self) -> usize {
        self.labels
            .iter()
            .map(|label| label.budget.saturating_add(1))
            .fold(1, usize::saturating_mul)
    }
}

/// A label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Name.
    pub name: &'static str,
    /// Maximum number of distinct values; further ones are folded to [`OTHER`](super::OTHER).
    pub budget: usize,
}

/// Kinds of instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sum that only goes up.
    Counter,
    /// The last value set.
    Gauge,
    /// A sum that goes up and down; a gauge in Prometheus.
    UpDownCounter,
    /// A distribution over declared buckets.
    Histogram,
    /// A gauge whose value a callback reports at each collection.
    ObservableGauge,
    /// A counter whose value a callback reports at each collection.
    ObservableCounter,
}

impl Kind {
    /// Returns the type in the Prometheus text: `counter`, `gauge` or `histogram`.
    pub fn prometheus_type(self) -> &'static str {
        match self {
            Kind::Counter | Kind::ObservableCounter => "counter",
            Kind::Gauge | Kind::UpDownCounter | Kind::ObservableGauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// Types of recorded values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Unsigned integer.
    U64,
    /// Signed integer.
    I64,
    /// Floating point.
    F64,
}

/// Returns all metrics of the program, ordered by name.
///
/// Once telemetry has started, those of this crate have the names and labels that
/// [`metric_prefix`](crate::Builder::metric_prefix) and [`without_tenants`](crate::Builder::without_tenants) give them.
///
/// ```
/// let published = rustok_telemetry::metrics::catalogue()
///     .into_iter()
///     .find(|metric| metric.name == "rustok_event_bus_published_total")
///     .expect("declared by this crate");
/// assert_eq!(published.labels[0].name, "event_type");
/// ```
pub fn catalogue() -> Vec<&'static Declaration> {
    let mut all: Vec<_> = ALL.iter().map(|metric| metric.declaration()).collect();
    all.sort_by_key(|declaration| (declaration.name, declaration.module));
    all
}
