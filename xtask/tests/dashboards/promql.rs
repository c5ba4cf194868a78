//! What is wrong with a PromQL expression, besides its grammar.

use std::collections::BTreeMap;
use std::time::Duration;

use promql_parser::label::Matchers;
use promql_parser::parser::token::T_DIV;
use promql_parser::parser::{AggregateExpr, Call, Expr, LabelModifier, VectorSelector, parse};
use rustok_telemetry::metrics::{Kind, catalogue};
use xtask::dashboards::query::THIRD_PARTY;
use xtask::rules::{self, Rule};

/// Scraping every 15 s, less than this may not have the two samples that a rate needs after one failed scrape.
const SHORTEST_RANGE: Duration = Duration::from_secs(60);

/// Every problem of an expression without variables.
pub(crate) fn problems(promql: &str) -> Vec<String> {
    problems_with(promql, &Metrics::with(rules::all().expect("the rules")))
}

/// Every problem of an expression without variables, if there are these metrics.
pub(crate) fn problems_with(promql: &str, metrics: &Metrics<'_>) -> Vec<String> {
    match parse(promql) {
        Err(error) => vec![error],
        Ok(expr) => {
            let problems = Vec::new();
            let mut check = Check { metrics, problems };
            check.expr(&expr, false);
            check.problems
        }
    }
}

struct Check<'metrics> {
    metrics: &'metrics Metrics<'metrics>,
    problems: Vec<String>,
}

/// The kind and labels of each metric that there is. Those of a histogram's series are counters.
pub(crate) struct Metrics<'rules>(BTreeMap<String, (Kind, Vec<&'rules str>)>);

impl Check<'_> {
    /// `in_rate`: whether it is the argument of a function that takes counters alone.
    fn expr(&mut self, expr: &Expr, in_rate: bool) {
        match expr {
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => {
                let sides = [&binary.lhs, &binary.rhs];
                if binary.op.id() == T_DIV && !sides.iter().all(|side| is_aggregated(side)) {
                    self.problem(expr, "divides what is not aggregated");
                }
                sides.iter().for_each(|side| self.expr(side, false));
            }
            Expr::Call(call) => self.call(call),
            Expr::MatrixSelector(matrix) => {
                if matrix.range < SHORTEST_RANGE {
                    self.problem(expr, "looks back for less than four scrapes");
                }
                self.selector(&matrix.vs, in_rate);
            }
            Expr::VectorSelector(selector) => self.selector(selector, in_rate),
            Expr::Paren(paren) => self.expr(&paren.expr, in_rate),
            Expr::Unary(unary) => self.expr(&unary.expr, false),
            Expr::NumberLiteral(_) => {}
            other => self.problem(other, "is of a kind that these checks do not know"),
        }
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr) {
        let labels = self.labels_of(&aggregate.expr);
        match &aggregate.modifier {
            Some(LabelModifier::Include(by)) => {
                for label in by.labels.iter().filter(|label| !labels.contains(label)) {
                    self.problems
                        .push(format!("no label `{label}` in {}", aggregate.expr));
                }
            }
            Some(LabelModifier::Exclude(_)) => {
                self.problems
                    .push(format!("`without` in {aggregate}: say which labels stay"));
            }
            None => {}
        }
        self.expr(&aggregate.expr, false);
    }

    fn call(&mut self, call: &Call) {
        let in_rate = ["rate", "increase", "irate"].contains(&call.func.name);
        for argument in &call.args.args {
            if call.func.name == "histogram_quantile"
                && !matches!(**argument, Expr::NumberLiteral(_))
            {
                let keeps = matches!(&**argument, Expr::Aggregate(aggregate) if by(aggregate).contains(&"le".to_owned()));
                if !keeps {
                    self.problem(argument, "is no aggregation that keeps `le`");
                }
            }
            self.expr(argument, in_rate);
        }
    }

    fn selector(&mut self, selector: &VectorSelector, in_rate: bool) {
        let name = selector.name.as_deref().unwrap_or_default();
        let Some((kind, labels)) = self.metrics.0.get(name).cloned() else {
            self.problems.push(format!("no metric {name}"));
            return;
        };
        let is_counter = matches!(kind, Kind::Counter | Kind::ObservableCounter);
        if is_counter != in_rate {
            let how = if in_rate { "has" } else { "lacks" };
            self.problems.push(format!(
                "{name}, of type {}, {how} a rate",
                kind.prometheus_type()
            ));
        }
        let Matchers {
            matchers,
            or_matchers,
        } = &selector.matchers;
        for matcher in matchers.iter().chain(or_matchers.iter().flatten()) {
            if !labels.contains(&matcher.name.as_str()) {
                self.problems
                    .push(format!("no label `{}` of {name}", matcher.name));
            }
        }
    }

    /// The labels of the result, as far as they are known.
    fn labels_of(&self, expr: &Expr) -> Vec<String> {
        match expr {
            Expr::Aggregate(aggregate) if aggregate.modifier.is_none() => {
                self.labels_of(&aggregate.expr)
            }
            Expr::Aggregate(aggregate) => by(aggregate),
            Expr::Binary(binary) => {
                [self.labels_of(&binary.lhs), self.labels_of(&binary.rhs)].concat()
            }
            Expr::Call(call) => call
                .args
                .args
                .iter()
                .flat_map(|argument| self.labels_of(argument))
                .collect(),
            Expr::Paren(paren) => self.labels_of(&paren.expr),
            Expr::MatrixSelector(matrix) => self.labels_of_selector(&matrix.vs),
            Expr::VectorSelector(selector) => self.labels_of_selector(selector),
            _ => Vec::new(),
        }
    }

    fn labels_of_selector(&self, selector: &VectorSelector) -> Vec<String> {
        let known = self
            .metrics
            .0
            .get(selector.name.as_deref().unwrap_or_default());
        let labels = known.into_iter().flat_map(|(_, labels)| labels);
        labels.map(|label| (*label).to_owned()).collect()
    }

    fn problem(&mut self, expr: &Expr, what: &str) {
        self.problems.push(format!("{expr} {what}"));
    }
}

fn by(aggregate: &AggregateExpr) -> Vec<String> {
    match &aggregate.modifier {
        Some(LabelModifier::Include(labels)) => labels.labels.clone(),
        _ => Vec::new(),
    }
}

/// A number counts as aggregated: it has no labels that could differ.
fn is_aggregated(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(_) | Expr::NumberLiteral(_) => true,
        Expr::Paren(paren) => is_aggregated(&paren.expr),
        Expr::Binary(binary) => is_aggregated(&binary.lhs) && is_aggregated(&binary.rhs),
        _ => false,
    }
}

impl<'rules> Metrics<'rules> {
    /// Those of the catalogue and of third parties, and what these rules record.
    pub(crate) fn with(rules: &'rules [Rule]) -> Self {
        let mut metrics = Self(BTreeMap::new());
        for metric in catalogue() {
            let labels = metric.labels.iter().map(|label| label.name);
            metrics.insert(metric.name, metric.kind, labels.collect());
        }
        for metric in THIRD_PARTY {
            metrics.insert(metric.name, metric.kind, metric.labels.to_vec());
        }
        for rule in rules {
            if let Some(name) = &rule.record {
                let level = name.split(':').next().expect("a level").split('_');
                let labels = level.chain(rule.labels.keys().map(String::as_str));
                metrics
                    .0
                    .insert(name.clone(), (Kind::Gauge, labels.collect()));
            }
        }
        metrics
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A metric of a target; a histogram is three.
    fn insert(&mut self, name: &str, kind: Kind, mut labels: Vec<&'rules str>) {
        labels.extend(["job", "instance"]);
        if kind != Kind::Histogram {
            self.0.insert(name.to_owned(), (kind, labels));
            return;
        }
        for suffix in ["_sum", "_count"] {
            let name = format!("{name}{suffix}");
            self.0.insert(name, (Kind::Counter, labels.clone()));
        }
        labels.push("le");
        self.0
            .insert(format!("{name}_bucket"), (Kind::Counter, labels));
    }
}
