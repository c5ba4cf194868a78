//! Metrics, and the queries of each kind.

use std::collections::BTreeSet;

use super::expr::Expr;
use super::range::Range;

/// A counter.
#[derive(Debug, Clone)]
pub struct Counter(pub(super) Series);

/// A gauge.
#[derive(Debug, Clone)]
pub struct Gauge {
    pub(super) series: Series,
    /// Whether services push it. The last value of a killed process then stays for minutes.
    pub(super) is_pushed: bool,
}

/// The instances that no longer respond at their own address, recorded by `recording_rules.yml`.
const GONE: &str = "job_instance:service_instance_info:gone";

/// A histogram.
#[derive(Debug, Clone)]
pub struct Histogram {
    pub(super) series: Series,
    pub(super) boundaries: Vec<f64>,
}

/// A matcher of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match<'a> {
    /// `=`
    Is(&'a str),
    /// `!=`
    IsNot(&'a str),
    /// `=~`
    Like(&'a str),
    /// `!~`
    Unlike(&'a str),
}

/// The selected series of a metric.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) labels: BTreeSet<&'static str>,
    pub(super) matchers: Vec<String>,
    pub(super) problems: Vec<String>,
}

impl Counter {
    /// Only the series whose label matches.
    #[must_use]
    pub fn with(&self, label: &str, value: Match<'_>) -> Self {
        Self(self.0.with(label, value))
    }

    /// The selector of the series, for variables.
    pub fn series(&self) -> Expr {
        self.0.expr(&self.0.selector())
    }

    /// The increase per second of each series.
    pub fn rate(&self, range: Range) -> Expr {
        self.0
            .expr(&format!("rate({}[{range}])", self.0.selector()))
    }

    /// The increase over the range of each series.
    pub fn increase(&self, range: Range) -> Expr {
        self.0
            .expr(&format!("increase({}[{range}])", self.0.selector()))
    }
}

impl Gauge {
    /// Only the series whose label matches.
    #[must_use]
    pub fn with(&self, label: &str, value: Match<'_>) -> Self {
        Self {
            series: self.series.with(label, value),
            is_pushed: self.is_pushed,
        }
    }

    /// The value of each series. If services push the metric, instances that are gone are excluded.
    pub fn value(&self) -> Expr {
        let value = self.series.expr(&self.series.selector());
        match self.is_pushed {
            true => value.scaled(&format!("unless on (job, instance) {GONE}")),
            false => value,
        }
    }

    /// The value of each series `offset` ago.
    pub fn value_before(&self, offset: &str) -> Expr {
        self.series
            .expr(&format!("{} offset {offset}", self.series.selector()))
    }
}

impl Histogram {
    /// Only the series whose label matches.
    #[must_use]
    pub fn with(&self, label: &str, value: Match<'_>) -> Self {
        Self {
            series: self.series.with(label, value),
            boundaries: self.boundaries.clone(),
        }
    }

    /// The number of observations, as a counter.
    pub fn count(&self) -> Counter {
        Counter(self.series.suffixed("_count"))
    }

    /// The sum of all observations, as a counter.
    pub fn sum(&self) -> Counter {
        Counter(self.series.suffixed("_sum"))
    }

    /// The buckets, as counters with the label `le`.
    pub fn buckets(&self) -> Counter {
        let mut buckets = self.series.suffixed("_bucket");
        buckets.labels.insert("le");
        Counter(buckets)
    }

    /// The number of observations of at most `bound`, as a counter. `bound` must be a boundary of the histogram.
    pub fn at_most(&self, bound: f64) -> Counter {
        let mut bucket = self.series.suffixed("_bucket");
        if !self.boundaries.contains(&bound) && bucket.problems.is_empty() {
            let problem = format!("{} has no bucket up to {bound}", self.series.name);
            bucket.problems.push(problem);
        }
        // A whole number is `1.0` in scraped text, and `1` over OTLP and remote write.
        bucket.matchers.push(if bound.fract() == 0.0 {
            format!("le=~\"{bound}|{bound}.0\"")
        } else {
            format!("le=\"{bound}\"")
        });
        Counter(bucket)
    }

    /// A quantile over the series, aggregated by these labels.
    pub fn quantile<const N: usize>(&self, quantile: f64, by: [&'static str; N]) -> Expr {
        let labels: Vec<_> = ["le"].into_iter().chain(by).collect();
        let rate = self.buckets().rate(Range::Rate);
        rate.sum_by_slice(&labels).quantile(quantile)
    }
}

impl Series {
    fn selector(&self) -> String {
        if self.matchers.is_empty() {
            self.name.clone()
        } else {
            format!("{}{{{}}}", self.name, self.matchers.join(", "))
        }
    }

    fn expr(&self, text: &str) -> Expr {
        Expr::new(text.to_owned(), self.labels.clone(), self.problems.clone())
    }

    fn with(&self, label: &str, value: Match<'_>) -> Self {
        let mut series = self.clone();
        // The labels of an unknown metric are unknown too.
        if !self.labels.contains(label) && self.problems.is_empty() {
            let problem = format!("no label `{label}` of {}", self.name);
            series.problems.push(problem);
        }
        series.matchers.push(match value {
            Match::Is(value) => format!("{label}=\"{}\"", escaped(value)),
            Match::IsNot(value) => format!("{label}!=\"{}\"", escaped(value)),
            Match::Like(pattern) => format!("{label}=~\"{}\"", escaped(pattern)),
            Match::Unlike(pattern) => format!("{label}!~\"{}\"", escaped(pattern)),
        });
        series
    }

    fn suffixed(&self, suffix: &str) -> Self {
        let mut series = self.clone();
        series.name.push_str(suffix);
        series
    }
}

/// Escapes a text for a quoted string.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
