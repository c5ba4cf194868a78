//! The catalogue: one entry for each declared metric of the program, whoever declared it.
//!
//! Entries are collected at link time. The macro [`metrics`](macro@crate::metrics) adds them; the documentation, the
//! JSON catalogue, the label budgets and the set-up of the instruments are all read from here.

use super::{DEFAULT_SERIES_LIMIT, registered::ALL};

/// Everything that is known of a metric before the program runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Full name, as it appears on every path, such as `rustok_event_bus_published_total`.
    pub name: &'static str,
    /// Kind of the instrument.
    pub kind: Kind,
    /// Type of the recorded value.
    pub value: ValueType,
    /// Unit in UCUM notation (`s`, `By`), empty where there is none.
    pub unit: &'static str,
    /// Help text: the first paragraph of the declaration's doc comment.
    pub help: &'static str,
    /// Labels in the order of the function's parameters.
    pub labels: &'static [Label],
    /// Upper bounds of the buckets; empty unless the metric is a histogram.
    pub boundaries: &'static [f64],
    /// Limit of label sets, where the declaration gives one.
    pub series: Option<usize>,
    /// Name of the declared function.
    pub function: &'static str,
    /// Name of the function that starts a [timer](super::Timer): every histogram of seconds has one.
    pub timer: Option<&'static str>,
    /// Module that declares it.
    pub module: &'static str,
}

impl Declaration {
    /// Most label sets that this metric will ever have.
    ///
    /// Given by `series = …` in the declaration, else the product of the labels' budgets (each with one more for
    /// `other`), but not more than [`DEFAULT_SERIES_LIMIT`].
    pub fn series_limit(&self) -> usize {
        self.series
            .unwrap_or(DEFAULT_SERIES_LIMIT)
            .min(self.possible_series())
            .max(1)
    }

    /// Label sets that the labels' budgets alone allow.
    pub(super) fn possible_series(&self) -> usize {
        self.labels
            .iter()
            .map(|label| label.budget.saturating_add(1))
            .fold(1, usize::saturating_mul)
    }
}

/// A label of a metric and the number of distinct values that it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The label's name.
    pub name: &'static str,
    /// Distinct values that are kept; further ones are recorded as [`OTHER`](super::OTHER).
    pub budget: usize,
}

/// Kinds of instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only goes up.
    Counter,
    /// The last value set.
    Gauge,
    /// A sum that goes up and down; a gauge in Prometheus.
    UpDownCounter,
    /// A distribution over declared buckets.
    Histogram,
    /// A gauge that is read when metrics are collected.
    ObservableGauge,
    /// A counter that is read when metrics are collected.
    ObservableCounter,
}

impl Kind {
    /// The type in Prometheus' text: `counter`, `gauge` or `histogram`.
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

/// All metrics of the program, ordered by name.
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

/// Metrics that are declared more than once, each with the modules that declare it.
pub(crate) fn duplicates() -> Vec<String> {
    catalogue()
        .chunk_by(|a, b| a.name == b.name)
        .filter(|same| same.len() > 1)
        .map(|same| {
            let places: Vec<_> = same
                .iter()
                .map(|metric| format!("{}::{}", metric.module, metric.function))
                .collect();
            format!(
                "metric {} is declared more than once: {}",
                same[0].name,
                places.join(", ")
            )
        })
        .collect()
}
