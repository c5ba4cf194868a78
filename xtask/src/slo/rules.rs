//! `prometheus/slo_rules.yml`.

use std::fmt::Write;

use super::NOTICE;
use super::burn::{ALERTS, Alert, BASE, DAY, HOUR, Pair, Step, Window, pairs, windows};
use super::objective::Objective;
use super::recorded::{budget_left, burn, failures, good, requests};

/// The rules of all objectives.
pub(super) fn text(objectives: &[Objective]) -> String {
    let mut text = format!(
        "{NOTICE}#\n\
         # Longer windows average the rates over {BASE}, so every request has the same weight, and the series of all\n\
         # instances are read only once. Without requests in a window, its burn rate is absent. A window of days\n\
         # consists of full hours; before the first full hour it is the last hour.\n\n\
         groups:\n",
        BASE = BASE.name
    );
    for objective in objectives {
        let _ = writeln!(text, "  - name: slo-{}\n    rules:", objective.name);
        for record in records(objective) {
            text.push_str(&record);
        }
        for alert in &ALERTS {
            text.push_str(&alert_rule(objective, alert));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Returns a selector for the series of this objective.
pub(super) fn series(name: &str, objective: &Objective) -> String {
    format!("{name}{{slo=\"{}\"}}", objective.name)
}

fn records(objective: &Objective) -> Vec<String> {
    let record = |name: &str, expr: &str| record(objective, name, expr);
    let mut records = vec![
        record(
            "slo:slo_objective:ratio",
            &format!("vector({})", objective.ratio()),
        ),
        record(&requests(BASE), &objective.requests()),
        record(&failures(BASE), &objective.failures()),
        record(
            &burn(BASE),
            &format!(
                "{}\n/ ({} > 0)\n/ (1 - {})",
                series(&failures(BASE), objective),
                series(&requests(BASE), objective),
                objective.ratio()
            ),
        ),
    ];
    for window in pairs().map(|pair| pair.long) {
        records.push(record(
            &requests(window),
            &average(requests, objective, window),
        ));
    }
    records.push(record(&failures(HOUR), &average(failures, objective, HOUR)));
    for window in windows() {
        let share = share(objective, window);
        records.push(record(
            &burn(window),
            &format!("{share}\n/ (1 - {})", objective.ratio()),
        ));
    }
    let month = format!("{}d", objective.window_days);
    let failed = share_of_hours(objective, &month);
    records.push(record(&good(objective), &format!("1 -\n{failed}")));
    records.push(record(
        &budget_left(objective),
        &format!(
            "1 - (1 - {}) / (1 - {})",
            series(&good(objective), objective),
            objective.ratio()
        ),
    ));
    records
}

/// Returns the share of failed requests in a window.
fn share(objective: &Objective, window: Window) -> String {
    match window.parts() {
        (HOUR, _) => share_of_hours(objective, window.name),
        parts => share_of_parts(objective, parts, window.name),
    }
}

/// Returns the share of failed requests in a window of days. Full hours have no value before the first one has passed;
/// until then the last hour stands in, even if it is incomplete.
fn share_of_hours(objective: &Objective, window: &str) -> String {
    let hours = share_of_parts(objective, DAY.parts(), window);
    let last = |name: String| series(&name, objective);
    format!(
        "(\n{}  or\n  {} / ({} > 0)\n)",
        indented(&hours, 2),
        last(failures(HOUR)),
        last(requests(HOUR))
    )
}

fn share_of_parts(objective: &Objective, (part, step): (Window, Step), window: &str) -> String {
    format!(
        "{}\n/ ({} > 0)",
        sum_over_time(&failures(part), objective, window, step),
        sum_over_time(&requests(part), objective, window, step)
    )
}

/// Returns the average rate over a window. It divides by all steps of the window, so steps without data count as steps
/// without requests.
fn average(name: impl Fn(Window) -> String, objective: &Objective, window: Window) -> String {
    let (part, step) = window.parts();
    format!(
        "{} / {}",
        sum_over_time(&name(part), objective, window.name, step),
        window.minutes / step.minutes
    )
}

fn sum_over_time(name: &str, objective: &Objective, window: &str, step: Step) -> String {
    format!(
        "sum_over_time({}[{window}:{}])",
        series(name, objective),
        step.name
    )
}

fn record(objective: &Objective, name: &str, expr: &str) -> String {
    format!(
        "      - record: {name}\n        expr: |\n{}        labels:\n          slo: {}\n\n",
        indented(expr, 10),
        objective.name
    )
}

fn alert_rule(objective: &Objective, alert: &Alert) -> String {
    let Objective {
        name,
        description,
        percent,
        window_days,
        ..
    } = objective;
    let alert_name = format!("{}{}", objective.alert, alert.suffix);
    let [one, other] = alert.pairs.map(|pair| condition(objective, pair));
    format!(
        "      - alert: {alert_name}
        expr: |
          (
{one}          )
          or
          (
{other}          )
        labels:
          severity: {severity}
          area: {area}
        annotations:
          summary: \"{name}: {summary}\"
          description: >-
            {{{{ $labels.job }}}} spends the error budget of {{{{ $labels.slo }}}} {{{{ $value | humanize }}}} times
            as fast as allowed: too many requests {description}. The objective is {percent}% over {window_days}d.
          runbook_url: docs/runbook.md#{anchor}
          dashboard: /d/rustok-slo

",
        severity = alert.severity,
        area = objective.area,
        summary = alert.summary,
        anchor = alert_name.to_lowercase(),
    )
}

fn condition(objective: &Objective, pair: Pair) -> String {
    let exceeds = |name: &str, limit: f64| format!("{} > {limit}", series(name, objective));
    indented(
        &format!(
            "{}\nand {}\nand {}",
            exceeds(&burn(pair.long), pair.factor),
            exceeds(&burn(pair.short), pair.factor),
            exceeds(&requests(pair.long), objective.minimum_rate)
        ),
        12,
    )
}

fn indented(text: &str, by: usize) -> String {
    text.lines()
        .map(|line| format!("{:by$}{line}\n", ""))
        .collect()
}
