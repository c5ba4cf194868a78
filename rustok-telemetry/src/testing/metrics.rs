//! Captured metrics, and assertions on them.

use std::{collections::BTreeMap, fmt};

use super::Sink;
use crate::metrics::{
    Declaration, catalogue,
    store::point::{Point, SeriesLabels},
};

/// A metric of the catalogue and what was recorded of it: all label sets, or those that [`with`](Self::with) chose.
///
/// The assertions return it, so that several can follow each other.
#[derive(Debug, Clone)]
pub struct CapturedMetric {
    declaration: &'static Declaration,
    all: Vec<CapturedSeries>,
    chosen: Vec<(String, String)>,
}

/// One label set of a metric.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CapturedSeries {
    /// Its labels, by name.
    pub labels: BTreeMap<String, String>,
    /// The value of a counter or gauge; the sum of a histogram.
    pub value: f64,
    /// How many values a histogram has; 0 for other kinds.
    pub count: u64,
}

impl CapturedMetric {
    #[track_caller]
    pub(super) fn read(name: &str, sink: &Sink) -> Self {
        let Some(declaration) = catalogue().into_iter().find(|metric| metric.name == name) else {
            let names: Vec<_> = catalogue().iter().map(|metric| metric.name).collect();
            panic!("no metric is called `{name}`; declared are {names:?}");
        };
        let mut all = Vec::new();
        sink.metrics.read(declaration, &mut |labels, point| {
            all.push(CapturedSeries::new(labels, point));
        });
        all.sort_by(|one, other| one.labels.cmp(&other.labels));
        Self {
            declaration,
            all,
            chosen: Vec::new(),
        }
    }

    /// Only the label sets in which this label has this value.
    ///
    /// # Panics
    ///
    /// When the metric has no such label.
    #[track_caller]
    pub fn with(mut self, label: &str, value: &str) -> Self {
        let names: Vec<_> = self.declaration.labels.iter().map(|own| own.name).collect();
        assert!(
            names.contains(&label),
            "{} has no label `{label}`; it has {names:?}",
            self.declaration.name
        );
        self.chosen.push((label.to_owned(), value.to_owned()));
        self
    }

    /// The chosen label sets, in the order of their values.
    pub fn series(&self) -> Vec<CapturedSeries> {
        let chosen = |series: &&CapturedSeries| {
            let has = |(label, value): &(String, String)| series.labels.get(label) == Some(value);
            self.chosen.iter().all(has)
        };
        self.all.iter().filter(chosen).cloned().collect()
    }

    /// The sum over the chosen label sets: of a counter, a gauge, or the sums of a histogram. 0 where nothing was
    /// recorded.
    pub fn value(&self) -> f64 {
        // Not `sum`, whose zero is negative.
        let series = self.series();
        series.iter().fold(0.0, |sum, series| sum + series.value)
    }

    /// How many values the chosen label sets of a histogram have.
    pub fn count(&self) -> u64 {
        self.series().iter().map(|series| series.count).sum()
    }

    /// Asserts the [`value`](Self::value), up to rounding.
    ///
    /// # Panics
    ///
    /// When it is another one, or nothing was recorded under the chosen labels and the value is not 0.
    #[track_caller]
    pub fn assert_value(self, expected: f64) -> Self {
        let actual = self.value();
        let close = (actual - expected).abs() <= 1e-9 * expected.abs().max(1.0);
        assert!(close, "the value is {actual}, not {expected}, of {self}");
        self
    }

    /// Asserts the [`count`](Self::count).
    ///
    /// # Panics
    ///
    /// When it is another one.
    #[track_caller]
    pub fn assert_count(self, expected: u64) -> Self {
        let actual = self.count();
        assert!(
            actual == expected,
            "the count is {actual}, not {expected}, of {self}"
        );
        self
    }

    /// Asserts that nothing was recorded under the chosen labels.
    ///
    /// # Panics
    ///
    /// When something was.
    #[track_caller]
    pub fn assert_absent(self) -> Self {
        assert!(self.series().is_empty(), "something was recorded of {self}");
        self
    }
}

/// The metric with its choice, and everything that was recorded of it.
impl fmt::Display for CapturedMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = |labels: Vec<(&String, &String)>| {
            let labels: Vec<_> = labels
                .iter()
                .map(|(name, value)| format!("{name}={value:?}"))
                .collect();
            labels.join(",")
        };
        let chosen = self.chosen.iter().map(|(name, value)| (name, value));
        let name = self.declaration.name;
        write!(f, "{name}{{{}}}; recorded: ", labels(chosen.collect()))?;
        if self.all.is_empty() {
            return f.write_str("nothing");
        }
        for series in &self.all {
            write!(f, "\n  {{{}}} ", labels(series.labels.iter().collect()))?;
            match series.count {
                0 => write!(f, "{}", series.value)?,
                count => write!(f, "count {count}, sum {}", series.value)?,
            }
        }
        Ok(())
    }
}

impl CapturedSeries {
    #[allow(clippy::cast_precision_loss, reason = "Prometheus has f64 only")]
    fn new(labels: SeriesLabels<'_>, point: Point) -> Self {
        let (value, count) = match point {
            Point::U64(number) => (number as f64, 0),
            Point::I64(number) => (number as f64, 0),
            Point::F64(number) => (number, 0),
            Point::Histogram(distribution) => (distribution.sum, distribution.count()),
        };
        let labels = labels
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            labels: labels.collect(),
            value,
            count,
        }
    }
}
