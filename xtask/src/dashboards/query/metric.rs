//! Metrics, and what can be asked of each kind.

use std::collections::BTreeSet;

use super::expr::Expr;
use super::range::Range;

/// What only goes up.
#[derive(Debug, Clone)]
pub struct Counter(pub(super) Series);

/// What goes up and down.
#[derive(Debug, Clone)]
pub struct Gauge {
    pub(super) series: Series,
    /// Whether a service pushes it, so that its last value stays for minutes if the process is killed.
    pub(super) is_pushed: bool,
}

/// Instances that no longer answer at their own address, by a rule of `recording_rules.yml`.
const GONE: &str = "job_instance:service_instance_info:gone";

/// A distribution.
#[derive(Debug, Clone)]
pub struct Histogram {
    pub(super) series: Series,
    pub(super) boundaries: Vec<f64>,
}

/// How a label is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match<'a> {
    /// It is this.
    Is(&'a str),
    /// It is another.
    IsNot(&'a str),
    /// It matches this regular expression.
    Like(&'a str),
    /// It does not match this regular expression.
    Unlike(&'a str),
}

/// The series of a metric that a query takes.
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

    /// The series themselves, to be listed.
    pub fn series(&self) -> Expr {
        self.0.expr(&self.0.selector())
    }

    /// Increase in a second, for each series.
    pub fn rate(&self, range: Range) -> Expr {
        self.0
            .expr(&format!("rate({}[{range}])", self.0.selector()))
    }

    /// Increase over the range, for each series.
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

    /// The value, for each series; of what services push, without the instances that are gone.
    pub fn value(&self) -> Expr {
        let value = self.series.expr(&self.series.selector());
        match self.is_pushed {
            true => value.scaled(&format!("unless on (job, instance) {GONE}")),
            false => value,
        }
    }

    /// The value that it had so long ago, for each series.
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

    /// All that was measured, as a counter.
    pub fn count(&self) -> Counter {
        Counter(self.series.suffixed("_count"))
    }

    /// All that was measured, added up, as a counter.
    pub fn sum(&self) -> Counter {
        Counter(self.series.suffixed("_sum"))
    }

    /// The buckets, as counters with the label `le`.
    pub fn buckets(&self) -> Counter {
        let mut buckets = self.series.suffixed("_bucket");
        buckets.labels.insert("le");
        Counter(buckets)
    }

    /// What was measured as at most `bound`, as a counter. The bound has to be one of the histogram's.
    pub fn at_most(&self, bound: f64) -> Counter {
        let mut bucket = self.series.suffixed("_bucket");
        if !self.boundaries.contains(&bound) && bucket.problems.is_empty() {
            let problem = format!("{} has no bucket up to {bound}", self.series.name);
            bucket.problems.push(problem);
        }
        // Text has `1.0` where OTLP and remote write have `1`.
        bucket.matchers.push(if bound.fract() == 0.0 {
            format!("le=~\"{bound}|{bound}.0\"")
        } else {
            format!("le=\"{bound}\"")
        });
        Counter(bucket)
    }

    /// A quantile over all series that have the same values of these labels.
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
        // A metric that is not known has no labels that could be.
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

/// As it stands between quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
