//! One panel: what it asks, and what to do about the answer.

use super::alert::Alert;
use super::link::Traces;
use super::query::Expr;

/// A panel.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// Links and alerts refer to it, so it stays when panels move.
    pub(crate) id: u32,
    pub(crate) title: &'static str,
    pub(crate) look: Look,
    pub(crate) unit: Unit,
    /// What it shows, and what to do when that is not as it should be.
    pub(crate) description: &'static str,
    pub(crate) queries: Vec<Query>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) steps: Vec<Step>,
    pub(crate) words: Vec<Word>,
    pub(crate) traces: Traces,
    /// Columns of 24.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Whether the series add up to something.
    pub(crate) stacked: bool,
    /// Whether points link to the traces behind them, where the metric has any.
    pub(crate) exemplars: bool,
}

/// Grafana's panel types that we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Stat,
    TimeSeries,
    Heatmap,
    BarGauge,
    PieChart,
}

/// Units of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    PerSecond,
    RequestsPerSecond,
    EventsPerSecond,
    Seconds,
    Bytes,
    /// From 0 to 1.
    Share,
    /// How many times as fast as allowed.
    Times,
}

/// A query, and the name of each of its series: `{{label}}` stands for a label's value.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) legend: &'static str,
    pub(crate) expr: Expr,
}

/// From this value on, this colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// None: from the least value on.
    pub(crate) from: Option<f64>,
    pub(crate) colour: &'static str,
}

/// A value that is shown as a word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) value: u8,
    pub(crate) text: &'static str,
    pub(crate) colour: &'static str,
}

impl Panel {
    pub(crate) fn new(
        id: u32,
        title: &'static str,
        look: Look,
        unit: Unit,
        description: &'static str,
    ) -> Self {
        let (width, height) = match look {
            Look::Stat => (6, 5),
            Look::TimeSeries | Look::BarGauge | Look::PieChart => (12, 8),
            Look::Heatmap => (24, 9),
        };
        Self {
            id,
            title,
            look,
            unit,
            description,
            queries: Vec::new(),
            alerts: Vec::new(),
            steps: Vec::new(),
            words: Vec::new(),
            traces: Traces::All,
            width,
            height,
            stacked: false,
            exemplars: false,
        }
    }

    pub(crate) fn query(mut self, legend: &'static str, expr: Expr) -> Self {
        self.queries.push(Query { legend, expr });
        self
    }

    /// Shows what this alert watches: with its threshold, and a link to its part of the runbook.
    pub(crate) fn watched_by(mut self, alert: Alert) -> Self {
        self.alerts.push(alert);
        self
    }

    /// Thresholds that are no alert's.
    pub(crate) fn steps(mut self, steps: &[(Option<f64>, &'static str)]) -> Self {
        let steps = steps.iter().map(|&(from, colour)| Step { from, colour });
        self.steps = steps.collect();
        self
    }

    /// Takes only links from the alerts: their thresholds are not those of all series.
    pub(crate) fn without_lines(self) -> Self {
        self.steps(&[(None, "green")])
    }

    pub(crate) fn words(mut self, words: &[Word]) -> Self {
        self.words = words.to_vec();
        self
    }

    pub(crate) fn traces(mut self, traces: Traces) -> Self {
        self.traces = traces;
        self
    }

    pub(crate) fn size(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    pub(crate) fn stacked(mut self) -> Self {
        self.stacked = true;
        self
    }

    pub(crate) fn exemplars(mut self) -> Self {
        self.exemplars = true;
        self
    }

    /// Whether every series of every query has this label.
    pub(crate) fn has_label(&self, label: &str) -> bool {
        let mut queries = self.queries.iter();
        queries.all(|query| query.expr.labels().contains(label))
    }

    /// What its queries and legends refer to that does not exist.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for Query { legend, expr } in &self.queries {
            problems.extend(expr.problems().iter().cloned());
            for label in labels_of(legend) {
                if expr.problems().is_empty() && !expr.labels().contains(label) {
                    problems.push(format!(
                        "no label `{label}` for the legend of {}",
                        expr.text()
                    ));
                }
            }
        }
        problems
    }
}

impl Unit {
    /// Grafana's name of it.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Count => "short",
            Self::PerSecond => "cps",
            Self::RequestsPerSecond => "reqps",
            Self::EventsPerSecond => "eps",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::Share => "percentunit",
            Self::Times => "suffix:×",
        }
    }
}

/// The labels in a legend.
fn labels_of(legend: &str) -> impl Iterator<Item = &str> {
    let parts = legend.split("{{").skip(1);
    parts.filter_map(|part| Some(part.split_once("}}")?.0.trim()))
}
