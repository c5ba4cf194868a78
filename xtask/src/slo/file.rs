//! Reads and checks `prometheus/slo.yaml`. All errors are reported at once.

use std::fmt;

use serde_json::Value;

use super::FILE;
use super::fields::Fields;
use super::measure::measure;
use super::objective::Objective;
use crate::yaml;

/// Parses the objectives.
pub(super) fn read(text: &str) -> Result<Vec<Objective>, Problems> {
    let value = yaml::parse(text).map_err(Problems::one)?;
    let mut problems = Vec::new();
    let objectives = objectives(&value, &mut problems);
    if problems.is_empty() {
        Ok(objectives)
    } else {
        Err(Problems(problems))
    }
}

/// All errors in `prometheus/slo.yaml`.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{FILE} is invalid:\n  {}", .0.join("\n  "))]
pub struct Problems(Vec<String>);

impl Problems {
    pub(super) fn one(problem: impl fmt::Display) -> Self {
        Self(vec![problem.to_string()])
    }
}

fn objectives(file: &Value, problems: &mut Vec<String>) -> Vec<Objective> {
    let mut fields = Fields::of("file".to_owned(), file, problems);
    let entries = match fields.take("slos") {
        Some(Value::Array(entries)) if !entries.is_empty() => entries,
        _ => {
            fields.problem("slos", "a list of objectives is expected");
            Vec::new()
        }
    };
    fields.end();
    let mut objectives: Vec<Objective> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(objective) = objective(Fields::of(format!("slos[{index}]"), entry, problems))
        else {
            continue;
        };
        for (key, value, same) in [
            (
                "name",
                &objective.name,
                objectives.iter().any(|o| o.name == objective.name),
            ),
            (
                "alert",
                &objective.alert,
                objectives.iter().any(|o| o.alert == objective.alert),
            ),
        ] {
            if same {
                problems.push(format!("slos[{index}]: {key}: {value} is given twice"));
            }
        }
        objectives.push(objective);
    }
    objectives
}

fn objective(mut fields: Fields<'_>) -> Option<Objective> {
    let name = word(&mut fields, "name", |c| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
    });
    if let Some(name) = &name {
        fields.called(name);
    }
    let alert = word(&mut fields, "alert", |c| c.is_ascii_alphanumeric());
    let description = word(&mut fields, "description", |c| {
        !matches!(c, '"' | '\\' | '{' | '}') && !c.is_control()
    });
    let area = word(&mut fields, "area", |c| c.is_ascii_lowercase() || c == '_');
    let percent = percent(&mut fields);
    let window_days = window_days(&mut fields);
    let minimum_rate = fields.number("minimum_rate").filter(|&rate| {
        let positive = rate > 0.0;
        if !positive {
            fields.problem("minimum_rate", format_args!("must be above 0, not {rate}"));
        }
        positive
    });
    let measure = measure(&mut fields);
    fields.end();
    Some(Objective {
        name: name?,
        alert: alert?,
        description: description?,
        area: area?,
        percent: percent?,
        window_days: window_days?,
        minimum_rate: minimum_rate?,
        measure: measure?,
    })
}

/// Returns a text with allowed characters only; else reports an error.
fn word(fields: &mut Fields<'_>, key: &str, allowed: impl Fn(char) -> bool) -> Option<String> {
    let text = fields.text(key)?;
    match text.chars().find(|&c| !allowed(c)) {
        None => Some(text),
        Some(other) => {
            fields.problem(key, format_args!("{other:?} is not allowed in {text:?}"));
            None
        }
    }
}

/// Lowest objective. Below it, a burn rate of [`BURST`](super::cases::BURST) would need almost all requests to fail.
const LEAST_PERCENT: f64 = 95.0;

fn percent(fields: &mut Fields<'_>) -> Option<f64> {
    let percent = fields.number("objective")?;
    if (LEAST_PERCENT..100.0).contains(&percent) {
        return Some(percent);
    }
    fields.problem(
        "objective",
        format_args!(
            "from {LEAST_PERCENT} to less than 100 percent, not {percent}: a lower one cannot reach the fastest burn \
             rate, a higher one has no error budget"
        ),
    );
    None
}

fn window_days(fields: &mut Fields<'_>) -> Option<u32> {
    match fields.text("window")?.as_str() {
        "28d" => Some(28),
        "30d" => Some(30),
        other => {
            fields.problem(
                "window",
                format_args!("28d or 30d, not {other}: the burn rates are for a month"),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
slos:
  - name: http
    alert: Http
    description: failed
    area: http
    objective: 99.9
    window: 30d
    minimum_rate: 0.1
    availability:
      requests: rustok_http_requests_total
      failed: {status: 5..}
";

    fn problems(text: &str) -> Vec<String> {
        read(text).expect_err("problems").0
    }

    #[test]
    fn a_good_file_is_read() {
        let objectives = read(GOOD).expect("no problem");
        assert_eq!(objectives.len(), 1);
        assert_eq!(objectives[0].percent, 99.9);
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let text = "
slos:
  - name: HTTP
    objective: 93
    window: 7d
    minimum_rate: 0
    owner: me
    availability:
      requests: rustok_http_request_duration_seconds
      failed: {}
  - name: slow
    alert: Slow
    description: slow
    area: http
    objective: 99
    window: 30d
    minimum_rate: 1
    latency:
      requests: rustok_http_request_duration_seconds
      within: 0.3
more: 1
";
        assert_eq!(
            problems(text),
            [
                "file: more: unknown key",
                "slos[0]: name: 'H' is not allowed in \"HTTP\"",
                "slos[0]: alert: is missing; text is expected",
                "slos[0]: description: is missing; text is expected",
                "slos[0]: area: is missing; text is expected",
                "slos[0]: objective: from 95 to less than 100 percent, not 93: a lower one cannot reach the fastest \
                 burn rate, a higher one has no error budget",
                "slos[0]: window: 28d or 30d, not 7d: the burn rates are for a month",
                "slos[0]: minimum_rate: must be above 0, not 0",
                "slos[0]: availability: requests: rustok_http_request_duration_seconds is a histogram; a counter is \
                 expected",
                "slos[0]: availability: failed: labels with regular expressions are expected",
                "slos[0]: owner: unknown key",
                "slow: latency: within: 0.3 is not a boundary of rustok_http_request_duration_seconds; the boundaries \
                 are 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10",
            ]
        );
    }

    #[test]
    fn names_are_given_once() {
        let twice = format!("{GOOD}{}", GOOD.trim_start_matches("\nslos:\n"));
        assert_eq!(
            problems(&twice),
            [
                "slos[1]: name: http is given twice",
                "slos[1]: alert: Http is given twice"
            ]
        );
    }

    #[test]
    fn a_metric_and_its_labels_must_be_declared() {
        let renamed = GOOD.replace("rustok_http_requests_total", "rustok_http_calls_total");
        assert_eq!(
            problems(&renamed),
            ["http: availability: requests: no metric rustok_http_calls_total is declared"]
        );
        let renamed = GOOD.replace("status:", "code:");
        assert_eq!(
            problems(&renamed),
            ["http: availability: failed: the metric has no label code"]
        );
    }

    #[test]
    fn a_file_without_objectives_is_a_problem() {
        assert_eq!(
            problems("slos: []"),
            ["file: slos: a list of objectives is expected"]
        );
    }
}
