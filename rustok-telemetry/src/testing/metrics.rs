//! Captured metrics, and assertions on them.

use std::{collections::BTreeMap, fmt};

use super::Sink;
use crate::metrics::{
    Declaration, catalogue,
    store::point::{Point, SeriesLabels},
};

/// A metric with its captured series: all of them, or those that [`with`](Self::with) selects.
///
/// The assertions return the metric, so that they can be chained.
#[derive(Debug, Clone)]
pub struct CapturedMetric {
    declaration: &'static Declaration,
    all: Vec<CapturedSeries>,
    selectors: Vec<(String, String)>,
}

/// A captured series of a metric.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CapturedSeries {
    /// Values of the labels, by name.
    pub labels: BTreeMap<String, String>,
    /// Value of a counter or gauge; sum of a histogram.
    pub value: f64,
    /// Number of values of a histogram; 0 for other kinds.
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
        let captured = sink.metrics.all();
        if let Some(metric) = captured.iter().find(|it| it.declaration() == declaration) {
            metric.read(&mut |labels, point| all.push(CapturedSeries::new(labels, point)));
        }
        all.sort_by(|one, other| one.labels.cmp(&other.labels));
        Self {
            declaration,
            all,
            selectors: Vec::new(),
        }
    }

    /// Selects the series in which this label has this value.
    ///
    /// # Panics
    ///
    /// If the metric has no such label.
    #[track_caller]
    pub fn with(mut self, label: &str, value: &str) -> Self {
        let labels = self.declaration.labels.iter();
        let names: Vec<_> = labels.map(|label| label.name).collect();
        assert!(
            names.contains(&label),
            "{} has no label `{label}`; it has {names:?}",
            self.declaration.name
        );
        self.selectors.push((label.to_owned(), value.to_owned()));
        self
    }

    /// Returns the selected series, ordered by label values.
    pub fn series(&self) -> Vec<CapturedSeries> {
        let is_selected = |series: &&CapturedSeries| {
            let has = |(label, value): &(String, String)| series.labels.get(label) == Some(value);
            self.selectors.iter().all(has)
        };
        self.all.iter().filter(is_selected).cloned().collect()
    }

    /// Returns the sum of the values of the selected series, or of their sums if it is a histogram; 0 without series.
    pub fn value(&self) -> f64 {
        // Not `sum`, whose zero is negative.
        let series = self.series();
        series.iter().fold(0.0, |sum, series| sum + series.value)
    }

    /// Returns the number of values in the selected series of a histogram.
    pub fn count(&self) -> u64 {
        self.series().iter().map(|series| series.count).sum()
    }

    /// Asserts the [`value`](Self::value), up to a relative error of 1e-9.
    ///
    /// # Panics
    ///
    /// If the value is another one; without series it is 0.
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
    /// If the count is another one.
    #[track_caller]
    pub fn assert_count(self, expected: u64) -> Self {
        let actual = self.count();
        assert!(
            actual == expected,
            "the count is {actual}, not {expected}, of {self}"
        );
        self
    }

    /// Asserts that there is no selected series.
    ///
    /// # Panics
    ///
    /// If there is one.
    #[track_caller]
    pub fn assert_absent(self) -> Self {
        assert!(self.series().is_empty(), "something was recorded of {self}");
        self
    }
}

/// Writes the metric with its selectors and all captured series.
impl fmt::Display for CapturedMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = |labels: Vec<(&String, &String)>| {
            let labels: Vec<_> = labels
                .iter()
                .map(|(name, value)| format!("{name}={value:?}"))
                .collect();
            labels.join(",")
        };
        let selectors = self.selectors.iter().map(|(name, value)| (name, value));
        let name = self.declaration.name;
        write!(f, "{name}{{{}}}; recorded: ", labels(selectors.collect()))?;
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
    fn new(labels: SeriesLabels<'_>, point: Point) -> Self {
        let (value, count) = match point {
            Point::Number(number) => (number.as_f64(), 0),
            Point::Histogram(all) => (all.sum.as_f64(), all.count),
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
