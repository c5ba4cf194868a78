//! `prometheus/tests/slo.yml`: for each alert, cases in which it fires and cases in which it stays silent.
//!
//! Only one pair of windows can fire at a time: in the cases of the shorter pair there has not been traffic for long
//! enough to reach the longer pair's minimum.

mod case;
mod traffic;

use super::NOTICE;
use super::burn::{ALERTS, Alert, DAY, Pair, Window};
use super::objective::Objective;
use super::recorded::{budget_left, burn};
use super::rules::series;
use case::{Case, Recorded};
use traffic::Traffic;

/// A burn rate above every factor, within reach of an objective of 95 %.
pub(super) const BURST: f64 = 18.0;

/// Generates the cases of all objectives.
pub(super) fn text(objectives: &[Objective]) -> String {
    let mut text = format!(
        "{NOTICE}# For `promtool test rules`. See tests/README.md for how cases are named.\n\n\
         rule_files: [../slo_rules.yml]\n\
         evaluation_interval: 5m\n\n\
         tests:\n"
    );
    for objective in objectives {
        for recorded in budget(objective) {
            text.push_str(&recorded.text(objective));
        }
        for alert in &ALERTS {
            for case in cases(objective, alert) {
                text.push_str(&case.text(objective, alert));
            }
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn cases(objective: &Objective, alert: &Alert) -> Vec<Case> {
    let [short, long] = alert.pairs;
    // Long enough for the minimum rate of the shorter pair, too short for that of the longer one.
    let young = short.long.minutes + short.long.minutes / 12;
    let old = long.long.minutes + 60;
    let mut cases = Vec::new();
    for (pair, minutes) in [(short, young), (long, old)] {
        cases.push(steady(objective, pair, minutes, "fires", 1.1));
        cases.push(steady(objective, pair, minutes, "just below", 0.98));
    }
    for pair in alert.pairs {
        cases.push(too_short(objective, pair, old));
    }
    for (pair, minutes) in [(short, young), (long, old)] {
        cases.push(resolves(objective, pair, minutes));
    }
    if short.long == DAY {
        cases.push(no_full_hour(objective, short));
    }
    cases.push(few_requests(objective, long, old));
    cases.push(no_requests(objective, short, young));
    cases
}

/// The remaining budget before and after the first full hour.
fn budget(objective: &Objective) -> [Recorded; 2] {
    let half = 0.5;
    // Thousandths, as promtool compares exactly.
    let left = format!(
        "round(1000 * {})",
        series(&budget_left(objective), objective)
    );
    let in_days = format!("round(1000 * {})", series(&burn(DAY), objective));
    [
        Recorded {
            name: "the budget before the first full hour".to_owned(),
            traffic: Traffic::steady(objective, enough(objective), MINUTES_OF_NO_HOUR, half),
            checks: vec![
                (10, left.clone(), 500.0),
                (MINUTES_OF_NO_HOUR, left.clone(), 500.0),
                (MINUTES_OF_NO_HOUR, in_days.clone(), 500.0),
            ],
        },
        // The second hour, without failures, is incomplete.
        Recorded {
            name: "the budget after one full hour".to_owned(),
            traffic: Traffic::new(objective, enough(objective), &[(60, half), (55, 0.0)]),
            checks: vec![
                (65, left.clone(), 500.0),
                (115, left, 500.0),
                (115, in_days, 500.0),
            ],
        },
    ]
}

const MINUTES_OF_NO_HOUR: u32 = 55;

/// A burst in the first hour: the day's burn rate is that of the burst, while its request rate has no value yet.
fn no_full_hour(objective: &Objective, pair: Pair) -> Case {
    Case {
        name: "too short, before the first full hour".to_owned(),
        traffic: Traffic::steady(objective, enough(objective), MINUTES_OF_NO_HOUR, BURST),
        fires_with: None,
        expr: exceeds(objective, pair.long, pair.factor),
        value: Some(1.0),
    }
}

/// A steady burn rate of `times` the factor of one pair.
fn steady(objective: &Objective, pair: Pair, minutes: u32, kind: &str, times: f64) -> Case {
    let rate_of_burn = pair.factor * times;
    Case {
        name: format!("{kind}, {} and {}", pair.long.name, pair.short.name),
        traffic: Traffic::steady(objective, enough(objective), minutes, rate_of_burn),
        fires_with: (times > 1.0).then_some(rate_of_burn),
        // Hundredths, as promtool compares exactly.
        expr: format!("round(100 * {})", series(&burn(pair.long), objective)),
        value: Some((100.0 * rate_of_burn).round()),
    }
}

/// A burst above the factor in the short window, below it in the long one.
fn too_short(objective: &Objective, pair: Pair, minutes: u32) -> Case {
    let burst = pair.short.minutes;
    Case {
        name: format!("too short, failures began {burst} minutes ago"),
        traffic: Traffic::new(
            objective,
            enough(objective),
            &[(minutes - burst, 0.0), (burst, 1.25 * pair.factor)],
        ),
        fires_with: None,
        expr: exceeds(objective, pair.short, pair.factor),
        value: Some(1.0),
    }
}

/// Past failures: above the factor in the long window, below it in the short one.
fn resolves(objective: &Objective, pair: Pair, minutes: u32) -> Case {
    let healthy = 2 * pair.short.minutes;
    Case {
        name: format!("resolves, failures ended {healthy} minutes ago"),
        traffic: Traffic::new(
            objective,
            enough(objective),
            &[(minutes - healthy, BURST), (healthy, 0.0)],
        ),
        fires_with: None,
        expr: exceeds(objective, pair.long, pair.factor),
        value: Some(1.0),
    }
}

fn few_requests(objective: &Objective, pair: Pair, minutes: u32) -> Case {
    Case {
        name: "no data, few requests, all of which fail".to_owned(),
        traffic: Traffic::steady(
            objective,
            objective.minimum_rate / 2.0,
            minutes,
            1.0 / objective.budget(),
        ),
        fires_with: None,
        expr: exceeds(objective, pair.long, BURST),
        value: Some(1.0),
    }
}

fn no_requests(objective: &Objective, pair: Pair, minutes: u32) -> Case {
    Case {
        name: "no data, no requests".to_owned(),
        traffic: Traffic::steady(objective, 0.0, minutes, 0.0),
        fires_with: None,
        expr: series(&burn(pair.long), objective),
        value: None,
    }
}

/// Requests a second.
fn enough(objective: &Objective) -> f64 {
    2.5 * objective.minimum_rate
}

fn exceeds(objective: &Objective, window: Window, limit: f64) -> String {
    format!("{} > bool {limit}", series(&burn(window), objective))
}
