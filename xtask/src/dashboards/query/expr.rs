//! Expressions.

use std::collections::BTreeSet;

/// A PromQL expression, with the labels of its result and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    text: String,
    labels: BTreeSet<&'static str>,
    problems: Vec<String>,
    /// Whether it can stand beside an operator without parentheses.
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

    /// The text, with Grafana's variables in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The labels that its result has.
    pub fn labels(&self) -> &BTreeSet<&'static str> {
        &self.labels
    }

    /// What is wrong with it; empty if nothing is.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// `sum by (…) (…)`.
    #[must_use]
    pub fn sum_by<const N: usize>(self, labels: [&'static str; N]) -> Self {
        self.aggregate("sum", &labels)
    }

    /// `sum by (…) (…)`, of labels that are known only when a dashboard is made.
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

    /// The `count` series with the greatest values.
    #[must_use]
    pub fn top(mut self, count: u32) -> Self {
        self.text = format!("topk({count}, {})", self.text);
        self.is_atom = true;
        self
    }

    /// The quantile of a sum of buckets, which has to keep `le`.
    #[must_use]
    pub fn quantile(mut self, quantile: f64) -> Self {
        if !self.labels.remove("le") {
            self.problem(format!("no `le` for a quantile of {}", self.text));
        }
        self.text = format!("histogram_quantile({quantile}, {})", self.text);
        self.is_atom = true;
        self
    }

    /// The share of this in `whole`; without a value where the whole is zero, since 0/0 is no share.
    #[must_use]
    pub fn share_of(self, whole: Self) -> Self {
        self.binary("/", whole.compared(">", 0.0))
    }

    /// This; and 0 for what exists in `whole` and has no part here yet, because nothing was ever counted.
    #[must_use]
    pub fn or_zero_of(self, whole: Self) -> Self {
        let zero = whole.scaled("* 0");
        self.binary("or", zero)
    }

    /// This; and `other` for label sets that are missing here.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.binary("or", other)
    }

    /// This less `other`, where both are.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.binary("-", other)
    }

    /// This, without the label sets that `other` has too.
    #[must_use]
    pub fn unless(self, other: Self) -> Self {
        self.binary("unless", other)
    }

    /// Only the values for which the comparison with a number holds.
    #[must_use]
    pub fn compared(self, operator: &str, number: f64) -> Self {
        self.scaled(&format!("{operator} {number}"))
    }

    /// This with `operation` behind it, an operator and its right side, which leaves the labels as they are: `* 60`.
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

    /// Notes a problem, unless it only follows from another.
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
