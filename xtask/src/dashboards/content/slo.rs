//! The service level objectives of `prometheus/slo.yaml`: how much of each error budget is left, and how fast it goes.
//!
//! Nothing is calculated here: `cargo xtask slo` makes the rules that record what the panels show.

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
        description: "How much of each error budget is left, and how fast it goes. The objectives are those of \
                      prometheus/slo.yaml.",
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

/// The ids of an objective's panels follow from its place in the file.
fn of_objective(objective: &Objective, index: u32) -> Vec<Item> {
    let Objective {
        name,
        window_days,
        description,
        ..
    } = objective;
    // Decimal places that a percentage has are not those of a binary number.
    let allowed = (objective.budget() * 1e10).round() / 1e8;
    let row =
        format!("{name}: at most {allowed} % of the requests in {window_days} days {description}");
    let panels = [
        good(objective),
        budget_left(objective),
        requests(objective),
        burn_rates(objective),
        what_spends(objective),
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
            "Share of the requests of the last {window_days} days that were good. The objective is {percent} %: below \
             it, see what spends the budget."
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
        format!("{name}: budget left"),
        Look::Stat,
        Unit::Share,
        format!(
            "What is left of the failures that the objective allows in {window_days} days. Little left: put off what \
             is risky. None left: work on reliability until there is some again."
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
            "What the objective is measured on, over an hour. With fewer than {minimum_rate} in a second, a single \
             failure is a great share of the budget, and no alert fires: look at the failures themselves then."
        ),
    )
    .query(
        "{{job}}",
        series(objective, &recorded::requests(HOUR)),
    )
    .steps(&[(None, "yellow"), (Some(*minimum_rate), "green")])
    .size(8, 5)
}

/// Over each window that the alerts watch, with the lines that they draw.
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
            "How many times as fast as allowed the budget goes, over several windows. At 1 it lasts just \
             {window_days} days, at the uppermost line two. Act if a short window and a long one are both over the \
             same line."
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

fn what_spends(objective: &Objective) -> Panel {
    let failures = failures(&objective.measure);
    let labels: Vec<_> = failures
        .labels()
        .iter()
        .filter(|&&label| label != "job")
        .map(|label| format!("{{{{{label}}}}}"))
        .collect();
    panel(
        format!("{}: what spends the budget", objective.name),
        Look::BarGauge,
        Unit::Count,
        format!(
            "Where the most requests {}, over the time that is shown. Empty: none did. Start with the longest bar.",
            objective.description
        ),
    )
    .query(labels.join(" "), failures.top(10))
}

/// By all labels that requests have, of which no rule records anything.
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

/// Over all instances, by the other labels.
fn summed(requests: Expr) -> Expr {
    let labels: Vec<_> = requests
        .labels()
        .iter()
        .copied()
        .filter(|&label| label != "instance")
        .collect();
    requests.sum_by_slice(&labels)
}

/// What a rule records of an objective, for each service.
fn series(objective: &Objective, name: &str) -> Expr {
    SCOPE
        .gauge(name)
        .with("slo", Match::Is(&objective.name))
        .value()
}

fn panel(title: String, look: Look, unit: Unit, description: String) -> Panel {
    Panel::new(0, title, look, unit, description)
}
