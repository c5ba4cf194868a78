//! A panel: queries, unit, description, thresholds and links.

use super::alert::{self, Alert, Fires, Severity};
use super::link::Traces;
use super::query::Expr;

/// A panel.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// The number in the panel's URL. It stays the same when panels move.
    pub(crate) id: u32,
    pub(crate) title: String,
    pub(crate) look: Look,
    pub(crate) unit: Unit,
    /// What the panel shows, and what to do about unusual values.
    pub(crate) description: String,
    pub(crate) queries: Vec<Query>,
    /// Names of the alerts whose runbook sections the panel links to.
    pub(crate) alerts: Vec<String>,
    /// The alerts' thresholds.
    pub(crate) lines: Vec<Line>,
    /// Thresholds that replace those of alerts.
    pub(crate) steps: Vec<Step>,
    pub(crate) words: Vec<Word>,
    pub(crate) traces: Traces,
    /// The labels of a series that contain names of services.
    pub(crate) services: &'static [&'static str],
    /// Columns, of 24.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Whether the series are stacked.
    pub(crate) stacked: bool,
    /// Whether to show exemplars, which link to traces.
    pub(crate) exemplars: bool,
    /// Colours of series whose names match a regular expression. The others have colours of the palette.
    pub(crate) colours: Vec<(&'static str, &'static str)>,
    problems: Vec<String>,
}

/// The types of panels that these dashboards use.
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
    Milliseconds,
    Bytes,
    /// From 0 to 1.
    Share,
    /// A factor.
    Times,
}

/// A query, and its legend, in which `{{label}}` is replaced by the value of the label.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) legend: String,
    pub(crate) expr: Expr,
}

/// The threshold of an alert, and its severity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub(crate) fires: Fires,
    pub(crate) severity: Severity,
}

/// A colour for values from a threshold on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// The threshold; `None` for the colour of the lowest values.
    pub(crate) from: Option<f64>,
    pub(crate) colour: &'static str,
}

/// A value shown as a word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) value: u8,
    pub(crate) text: &'static str,
    pub(crate) colour: &'static str,
}

impl Panel {
    pub(crate) fn new(
        id: u32,
        title: impl Into<String>,
        look: Look,
        unit: Unit,
        description: impl Into<String>,
    ) -> Self {
        let (width, height) = match look {
            Look::Stat => (6, 5),
            Look::TimeSeries | Look::PieChart => (12, 8),
            // Room for ten names and bars.
            Look::BarGauge => (12, 11),
            Look::Heatmap => (24, 9),
        };
        Self {
            id,
            title: title.into(),
            look,
            unit,
            description: description.into(),
            queries: Vec::new(),
            alerts: Vec::new(),
            lines: Vec::new(),
            steps: Vec::new(),
            words: Vec::new(),
            traces: Traces::All,
            services: &["job"],
            width,
            height,
            stacked: false,
            exemplars: false,
            colours: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn query(mut self, legend: impl Into<String>, expr: Expr) -> Self {
        let legend = legend.into();
        self.queries.push(Query { legend, expr });
        self
    }

    /// Adds the threshold of an alert on the panel's series, and a link to its runbook section.
    pub(crate) fn watched_by(self, alert: &str) -> Self {
        self.alert(alert, |alert| match &*alert.thresholds("") {
            [threshold] => Ok(vec![*threshold]),
            several => Err(format!(
                "{} has {} thresholds, so it has to be said of what",
                alert.name,
                several.len()
            )),
        })
    }

    /// Like [`watched_by`](Self::watched_by), for an alert on several series: uses the thresholds of those whose names
    /// begin with `series`.
    pub(crate) fn watched_by_part(self, alert: &str, series: &str) -> Self {
        self.alert(alert, |alert| match alert.thresholds(series) {
            none if none.is_empty() => Err(format!("{} watches no {series}…", alert.name)),
            thresholds => Ok(thresholds),
        })
    }

    /// Adds a link to the alert's runbook section without a threshold, because the panel shows another value than the
    /// alert compares.
    pub(crate) fn leads_to(self, alert: &str) -> Self {
        self.alert(alert, |_| Ok(Vec::new()))
    }

    fn alert(
        mut self,
        name: &str,
        thresholds: impl Fn(&Alert) -> Result<Vec<Fires>, String>,
    ) -> Self {
        let found = alert::named(name);
        let lines = found.and_then(|alert| Ok((alert.severity, thresholds(&alert)?)));
        match lines {
            Ok((severity, thresholds)) => {
                let lines = thresholds.into_iter().map(|fires| Line { fires, severity });
                self.lines.extend(lines);
            }
            Err(problem) => self.problems.push(format!("{}: {problem}", self.title)),
        }
        self.alerts.push(name.to_owned());
        self
    }

    /// Sets thresholds that replace those of alerts.
    pub(crate) fn steps(mut self, steps: &[(Option<f64>, &'static str)]) -> Self {
        let steps = steps.iter().map(|&(from, colour)| Step { from, colour });
        self.steps = steps.collect();
        self
    }

    pub(crate) fn words(mut self, words: &[Word]) -> Self {
        self.words = words.to_vec();
        self
    }

    pub(crate) fn traces(mut self, traces: Traces) -> Self {
        self.traces = traces;
        self
    }

    /// Adds a link to the traces that take longer than the alert's threshold, which must be in seconds.
    pub(crate) fn slow_traces(mut self) -> Self {
        match &*self.lines {
            [line] if self.unit == Unit::Seconds => {
                self.traces = Traces::Slow(line.fires.threshold());
            }
            _ => self
                .problems
                .push(format!("{}: no threshold says what is slow", self.title)),
        }
        self
    }

    /// Sets the labels that contain names of services.
    pub(crate) fn services(mut self, labels: &'static [&'static str]) -> Self {
        self.services = labels;
        self
    }

    pub(crate) fn size(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    pub(crate) fn colours(mut self, colours: &[(&'static str, &'static str)]) -> Self {
        self.colours = colours.to_vec();
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

    /// Returns whether each series has the labels with names of services.
    pub(crate) fn names_services(&self) -> bool {
        self.services.iter().all(|label| self.has_label(label))
    }

    /// Returns whether every series of every query has this label.
    pub(crate) fn has_label(&self, label: &str) -> bool {
        let mut queries = self.queries.iter();
        queries.all(|query| query.expr.labels().contains(label))
    }

    /// Returns an error for each reference in alerts, queries and legends to something that does not exist.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.clone();
        problems.extend(self.values_without_a_word());
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

impl Panel {
    /// Returns an error for each alert on a single value without a word. A line would imply that higher values are worse.
    fn values_without_a_word(&self) -> Vec<String> {
        let at = self.lines.iter().filter_map(|line| match line.fires {
            Fires::At(value) => Some(value),
            Fires::Above(_) | Fires::Below(_) => None,
        });
        at.filter(|&value| !self.words.iter().any(|word| f64::from(word.value) == value))
            .map(|value| {
                format!(
                    "{}: an alert fires at {value}, which is no word",
                    self.title
                )
            })
            .collect()
    }
}

impl Unit {
    /// Returns Grafana's identifier.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Count => "short",
            Self::PerSecond => "cps",
            Self::RequestsPerSecond => "reqps",
            Self::EventsPerSecond => "eps",
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Bytes => "bytes",
            Self::Share => "percentunit",
            Self::Times => "suffix:×",
        }
    }
}

/// Returns the labels in a legend.
fn labels_of(legend: &str) -> impl Iterator<Item = &str> {
    let parts = legend.split("{{").skip(1);
    parts.filter_map(|part| Some(part.split_once("}}")?.0.trim()))
}
