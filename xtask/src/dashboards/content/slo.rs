//! The service level objectives of `prometheus/slo.yaml`: remaining error budgets and burn rates.
//!
//! The panels show series recorded by the rules that `cargo xtask slo` generates.

use crate::dashboards::dashboard::{Dashboard, Item};
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Expr, Match, Range, Scope};
use crate::dashboards::variable::{METRICS, TRACES, job_of_gauge};
use crate::slo::burn::HOUR;
use crate::slo::{Measure, Objective, recorded};

const SCOPE: Scope = Scope::of(&[("job", "job")]);

pub(crate) fn dashboard(objectives: &[Objective]) -> Dashboard {
    Dashboard {
        path: "grafana/dashboards/rustok-slo.json",
        uid: "rustok-slo",
        title: "RusToK SLO",
        description: "The remaining error budget and the burn rate of each objective in prometheus/slo.yaml.",
        from: "now-24h",
        refresh: "1m",
        variables: vec![METRICS, TRACES, job_of_gauge(&recorded::requests(HOUR))],
        items: objectives
            .iter()
            .zip(0..)
            .flat_map(|(objective, index)| of_objective(objective, index))
            .collect(),
    }
}

/// The panels of an objective. Their ids follow from its position in the file.
fn of_objective(objective: &Objective, index: u32) -> Vec<Item> {
    let Objective {
        name,
        window_days,
        description,
        ..
    } = objective;
    // Rounds away the error of the binary fraction.
    let allowed = (objective.budget() * 1e10).round() / 1e8;
    let row =
        format!("{name}: at most {allowed} % of the requests in {window_days} days {description}");
    let panels = [
        good(objective),
        budget_left(objective),
        requests(objective),
        burn_rates(objective),
        failures_by_label(objective),
    ];
    let panels = panels.into_iter().zip(1..).map(|(mut panel, number)| {
        panel.id = 5 * index + number;
        panel.traces = match &objective.measure {
            Measure::Availability { .. } => Traces::Failed,
            Measure::Latency { within, .. } => Traces::Slow(*within),
        };
        panel.into()
    });
    [Item::row(100 * (index + 1), row)]
        .into_iter()
        .chain(panels)
        .collect()
}

fn good(objective: &Objective) -> Panel {
    let Objective {
        name,
        window_days,
        percent,
        ..
    } = objective;
    panel(
        format!("{name}: good requests in {window_days} days"),
        Look::Stat,
        Unit::Share,
        format!(
            "Share of good requests in the last {window_days} days. The objective is {percent} %. Below it, look at \
             the requests that spend the budget."
        ),
    )
    .query("{{job}}", series(objective, &recorded::good(objective)))
    .steps(&[(None, "red"), (Some(objective.ratio()), "green")])
    .size(8, 5)
}

fn budget_left(objective: &Objective) -> Panel {
    let Objective {
        name, window_days, ..
    } = objective;
    panel(
        format!("{name}: remaining budget"),
        Look::Stat,
        Unit::Share,
        format!(
            "Remaining share of the failures that the objective allows in {window_days} days. If little remains, \
             postpone risky changes. If nothing remains, work on reliability first."
        ),
    )
    .query(
        "{{job}}",
        series(objective, &recorded::budget_left(objective)),
    )
    .steps(&[(None, "red"), (Some(0.0), "orange"), (Some(0.25), "green")])
    .size(8, 5)
}

fn requests(objective: &Objective) -> Panel {
    let Objective {
        name, minimum_rate, ..
    } = objective;
    panel(
        format!("{name}: requests"),
        Look::Stat,
        Unit::RequestsPerSecond,
        format!(
            "Requests that the objective covers, on average over an hour. Below {minimum_rate} requests per second, \
             no alert fires, because a single failure would spend much of the budget: look at the failures themselves."
        ),
    )
    .query(
        "{{job}}",
        series(objective, &recorded::requests(HOUR)),
    )
    .steps(&[(None, "yellow"), (Some(*minimum_rate), "green")])
    .size(8, 5)
}

/// The burn rate over each window of the alerts, with their thresholds as lines.
fn burn_rates(objective: &Objective) -> Panel {
    let Objective {
        name,
        alert,
        window_days,
        ..
    } = objective;
    let mut panel = panel(
        format!("{name}: burn rate"),
        Look::TimeSeries,
        Unit::Times,
        format!(
            "How many times as fast as allowed the budget is spent, over several windows. At a rate of 1 it lasts \
             {window_days} days, at the top line two days. Act if a short and a long window are both above the same \
             line."
        ),
    );
    for window in recorded::burn_windows() {
        panel = panel.query(
            format!("{} {{{{job}}}}", window.name),
            series(objective, &recorded::burn(window)),
        );
    }
    panel
        .watched_by_part(&format!("{alert}SlowBurn"), "job_slo:slo_burn:")
        .watched_by_part(&format!("{alert}FastBurn"), "job_slo:slo_burn:")
}

fn failures_by_label(objective: &Objective) -> Panel {
    let failures = failures(&objective.measure);
    let labels: Vec<_> = failures
        .labels()
        .iter()
        .filter(|&&label| label != "job")
        .map(|label| format!("{{{{{label}}}}}"))
        .collect();
    panel(
        format!("{}: requests that spend the budget", objective.name),
        Look::BarGauge,
        Unit::Count,
        format!(
            "Requests that {}, in the selected time range, by label set. Empty if there are none. Start with the \
             longest bar.",
            objective.description
        ),
    )
    .query(labels.join(" "), failures.top(10))
}

/// Failed requests by all labels of the metric, which the recorded series do not keep.
fn failures(measure: &Measure) -> Expr {
    match measure {
        Measure::Availability { counter, failed } => {
            let mut counter = SCOPE.counter(counter);
            for (label, pattern) in failed {
                counter = counter.with(label, Match::Like(pattern));
            }
            summed(counter.increase(Range::Shown))
        }
        Measure::Latency { histogram, within } => {
            let histogram = SCOPE.histogram(histogram);
            let in_time = summed(histogram.at_most(*within).increase(Range::Shown));
            summed(histogram.count().increase(Range::Shown)).minus(in_time)
        }
    }
}

/// Sums over all instances and keeps the other labels.
fn summed(requests: Expr) -> Expr {
    let labels: Vec<_> = requests
        .labels()
        .iter()
        .copied()
        .filter(|&label| label != "instance")
        .collect();
    requests.sum_by_slice(&labels)
}

/// A recorded series of the objective, for each service.
fn series(objective: &Objective, name: &str) -> Expr {
    SCOPE
        .gauge(name)
        .with("slo", Match::Is(&objective.name))
        .value()
}

fn panel(title: String, look: Look, unit: Unit, description: String) -> Panel {
    Panel::new(0, title, look, unit, description)
}
