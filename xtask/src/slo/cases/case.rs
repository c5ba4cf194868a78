//! One case, as promtool reads it: of an alert, or of what is recorded alone.

use super::super::burn::Alert;
use super::super::objective::Objective;
use super::traffic::{JOB, Traffic};

/// A case of an alert: traffic, and the expected result.
pub(super) struct Case {
    /// The kind of case, with an optional detail after a comma.
    pub(super) name: String,
    pub(super) traffic: Traffic,
    /// The burn rate in the alert's description; `None` if the alert is silent.
    pub(super) fires_with: Option<f64>,
    /// An expression that verifies the condition in the case's name.
    pub(super) expr: String,
    /// Its value; `None` if it has no series.
    pub(super) value: Option<f64>,
}

/// A case of the recording rules: traffic, and the expected values.
pub(super) struct Recorded {
    pub(super) name: String,
    pub(super) traffic: Traffic,
    /// Minutes, an expression, and its value then.
    pub(super) checks: Vec<(u32, String, f64)>,
}

impl Recorded {
    pub(super) fn text(&self, objective: &Objective) -> String {
        let checks: String = self
            .checks
            .iter()
            .map(|(minutes, expr, value)| {
                let samples = samples(objective, Some(*value));
                format!("      - eval_time: {minutes}m\n        expr: {expr}\n        exp_samples:{samples}")
            })
            .collect();
        format!(
            "  - name: \"{objective}: {name}\"
    interval: 1m
    input_series:
{series}    promql_expr_test:
{checks}
",
            objective = objective.name,
            name = self.name,
            series = input_series(&self.traffic),
        )
    }
}

impl Case {
    pub(super) fn text(&self, objective: &Objective, alert: &Alert) -> String {
        let alert_name = format!("{}{}", objective.alert, alert.suffix);
        let eval_time = format!("{}m", self.traffic.minutes());
        let series = input_series(&self.traffic);
        let alerts = match self.fires_with {
            None => " []\n".to_owned(),
            Some(value) => format!("\n{}", expected_alert(objective, alert, &alert_name, value)),
        };
        let samples = samples(objective, self.value);
        format!(
            "  - name: \"{alert_name}: {name}\"
    interval: 1m
    input_series:
{series}    alert_rule_test:
      - eval_time: {eval_time}
        alertname: {alert_name}
        exp_alerts:{alerts}    promql_expr_test:
      - eval_time: {eval_time}
        expr: {expr}
        exp_samples:{samples}
",
            name = self.name,
            expr = self.expr,
        )
    }
}

fn input_series(traffic: &Traffic) -> String {
    traffic
        .series()
        .iter()
        .map(|(series, values)| format!("      - series: {series}\n        values: {values}\n"))
        .collect()
}

/// The expected samples of an expression: one for the service, or none.
fn samples(objective: &Objective, value: Option<f64>) -> String {
    match value {
        None => " []\n".to_owned(),
        // An operator drops the name of the metric and keeps the labels.
        Some(value) => format!(
            "\n          - labels: '{{job=\"{JOB}\", slo=\"{}\"}}'\n            value: {value}\n",
            objective.name
        ),
    }
}

fn expected_alert(objective: &Objective, alert: &Alert, alert_name: &str, value: f64) -> String {
    let Objective {
        name,
        description,
        percent,
        window_days,
        area,
        ..
    } = objective;
    format!(
        "          - exp_labels:
              severity: {severity}
              area: {area}
              slo: {name}
              job: {JOB}
            exp_annotations:
              summary: \"{name}: {summary}\"
              description: >-
                {JOB} spends the error budget of {name} {value} times as fast as allowed: too many requests
                {description}. The objective is {percent}% over {window_days}d.
              runbook_url: docs/runbook.md#{anchor}
              dashboard: /d/rustok-slo
",
        severity = alert.severity,
        summary = alert.summary,
        anchor = alert_name.to_lowercase(),
        value = Humanized(value),
    )
}

/// Formats a number like Prometheus' `humanize`, with four significant digits.
struct Humanized(f64);

impl std::fmt::Display for Humanized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", (self.0 * 100.0).round() / 100.0)
    }
}
