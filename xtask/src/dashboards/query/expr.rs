//! PromQL expressions.

use std::collections::BTreeSet;

/// A PromQL expression, with the labels of its result and its errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    text: String,
    labels: BTreeSet<&'static str>,
    problems: Vec<String>,
    /// Whether it needs no parentheses next to an operator.
    is_atom: bool,
}

impl Expr {
    pub(super) fn new(text: String, labels: BTreeSet<&'static str>, problems: Vec<String>) -> Self {
        Self {
            text,
            labels,
            problems,
            is_atom: true,
        }
    }

    /// Returns the text, which contains Grafana's variables.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the labels of its result.
    pub fn labels(&self) -> &BTreeSet<&'static str> {
        &self.labels
    }

    /// Returns its errors.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// `sum by (…) (…)`.
    #[must_use]
    pub fn sum_by<const N: usize>(self, labels: [&'static str; N]) -> Self {
        self.aggregate("sum", &labels)
    }

    /// `sum by (…) (…)` with labels from a slice.
    #[must_use]
    pub fn sum_by_slice(self, labels: &[&'static str]) -> Self {
        self.aggregate("sum", labels)
    }

    /// `count by (…) (…)`.
    #[must_use]
    pub fn count_by<const N: usize>(self, labels: [&'static str; N]) -> Self {
        self.aggregate("count", &labels)
    }

    /// `max by (…) (…)`.
    #[must_use]
    pub fn max_by<const N: usize>(self, labels: [&'static str; N]) -> Self {
        self.aggregate("max", &labels)
    }

    /// `min by (…) (…)`.
    #[must_use]
    pub fn min_by<const N: usize>(self, labels: [&'static str; N]) -> Self {
        self.aggregate("min", &labels)
    }

    /// The `count` series with the highest values.
    #[must_use]
    pub fn top(mut self, count: u32) -> Self {
        self.text = format!("topk({count}, {})", self.text);
        self.is_atom = true;
        self
    }

    /// The quantile of summed buckets, which must keep the label `le`.
    #[must_use]
    pub fn quantile(mut self, quantile: f64) -> Self {
        if !self.labels.remove("le") {
            self.problem(format!("no `le` for a quantile of {}", self.text));
        }
        self.text = format!("histogram_quantile({quantile}, {})", self.text);
        self.is_atom = true;
        self
    }

    /// This divided by `whole`; absent where `whole` is zero.
    #[must_use]
    pub fn share_of(self, whole: Self) -> Self {
        self.binary("/", whole.compared(">", 0.0))
    }

    /// This, and 0 for label sets of `whole` that are missing here, because nothing was counted yet.
    #[must_use]
    pub fn or_zero_of(self, whole: Self) -> Self {
        let zero = whole.scaled("* 0");
        self.binary("or", zero)
    }

    /// This, and `other` for label sets that are missing here.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.binary("or", other)
    }

    /// This minus `other`, for label sets of both.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.binary("-", other)
    }

    /// This without the label sets of `other`.
    #[must_use]
    pub fn unless(self, other: Self) -> Self {
        self.binary("unless", other)
    }

    /// The values for which the comparison with a number holds.
    #[must_use]
    pub fn compared(self, operator: &str, number: f64) -> Self {
        self.scaled(&format!("{operator} {number}"))
    }

    /// This followed by `operation`, an operator with its right side that keeps the labels, such as `* 60`.
    #[must_use]
    pub fn scaled(mut self, operation: &str) -> Self {
        self.text = format!("{} {operation}", self.operand());
        self.is_atom = false;
        self
    }

    fn aggregate(mut self, operator: &str, labels: &[&'static str]) -> Self {
        for label in labels {
            if !self.labels.contains(label) {
                self.problem(format!("no label `{label}` in {}", self.text));
            }
        }
        self.labels = labels.iter().copied().collect();
        self.text = format!("{operator} by ({}) ({})", labels.join(", "), self.text);
        self.is_atom = true;
        self
    }

    fn binary(mut self, operator: &str, right: Self) -> Self {
        if self.labels != right.labels && right.problems.is_empty() {
            self.problem(format!(
                "different labels on the sides of `{operator}`: {} and {}",
                self.text, right.text
            ));
        }
        self.text = format!("{} {operator} {}", self.operand(), right.operand());
        self.problems.extend(right.problems);
        self.is_atom = false;
        self
    }

    /// Adds an error, unless it follows from another one.
    fn problem(&mut self, problem: String) {
        if self.problems.is_empty() {
            self.problems.push(problem);
        }
    }

    fn operand(&self) -> String {
        if self.is_atom {
            self.text.clone()
        } else {
            format!("({})", self.text)
        }
    }
}
