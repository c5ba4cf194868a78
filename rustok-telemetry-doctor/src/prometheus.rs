//! Whether the marked metric has arrived in Prometheus.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::{
    marked::METRIC,
    options::Options,
    query::{self, NoAnswer},
    step::{Step, StepResult},
};

/// Looks for the metric until it is there, or the time is over.
pub fn arrival(url: &Url, run: &str, options: &Options) -> Step {
    Step::time("prometheus", url.as_str(), || {
        let series = format!("{METRIC}{{run=\"{run}\"}}");
        match query::eventually(options.wait, || value(url, &series)) {
            Ok(Some(value)) => StepResult::Ok(format!("the metric is there: {value}")),
            Ok(None) => lost(url, &series, options),
            Err(no_answer) => unreachable(&no_answer),
        }
    })
}

/// The value of the series, if Prometheus has it.
fn value(url: &Url, series: &str) -> Result<Option<String>, NoAnswer> {
    let answer = query::json(url, &["api", "v1", "query"], &[("query", series)])?;
    match (
        answer["status"].as_str(),
        answer["data"]["result"].as_array(),
    ) {
        (Some("success"), Some(result)) => {
            let value = result
                .first()
                .and_then(|sample| sample["value"][1].as_str());
            Ok(value.map(str::to_owned))
        }
        _ => Err(NoAnswer::Strange),
    }
}

/// The Collector has it and Prometheus has not: its targets tell more.
fn lost(url: &Url, series: &str, options: &Options) -> StepResult {
    let waited = options.wait.as_secs();
    let seen = format!("no {series} after {waited} s");
    let between =
        "the Collector took the metric, and it was lost between the Collector and Prometheus";
    let parameters = [("state", "active")];
    let targets = match query::json(url, &["api", "v1", "targets"], &parameters) {
        Ok(mut answer) => answer["data"]["activeTargets"].take(),
        Err(no_answer) => return unreachable(&no_answer),
    };
    let targets = targets.as_array().map(Vec::as_slice).unwrap_or_default();
    let down: Vec<String> = targets.iter().filter_map(down).collect();
    if targets.is_empty() {
        let remedy = "add the Collector's port for metrics (8889) to its scrape targets";
        return StepResult::failed(seen, format!("{between}: it scrapes nothing"), remedy);
    }
    if !down.is_empty() {
        let cause = format!("{between}; down among its targets: {}", down.join("; "));
        let remedy = "if the Collector's port for metrics (8889) is one of these, see why; if it is no target, add it";
        return StepResult::failed(seen, cause, remedy);
    }
    let interval = targets
        .iter()
        .filter_map(interval)
        .max()
        .unwrap_or_default();
    if interval >= options.wait {
        let cause = format!(
            "it scrapes every {} s, which is longer than was waited",
            interval.as_secs()
        );
        return StepResult::failed(
            seen,
            cause,
            format!("give --wait {}", interval.as_secs() * 2),
        );
    }
    let remedy = "is the Collector's port for metrics (8889) among its targets, and has the Collector's pipeline for \
                  metrics the exporter `prometheus`?";
    StepResult::failed(
        seen,
        format!("{between}, although all targets are up"),
        remedy,
    )
}

/// A target that cannot be scraped, with the reason.
fn down(target: &Value) -> Option<String> {
    (target["health"] == "down").then(|| {
        let text = |key: &str| target[key].as_str().unwrap_or_default();
        let error = text("lastError");
        let error = error.rsplit_once(": ").map_or(error, |(_, last)| last);
        format!("{} ({error})", text("scrapeUrl"))
    })
}

/// A target's `scrapeInterval`, such as `15s` or `1m30s`.
fn interval(target: &Value) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = target["scrapeInterval"].as_str()?;
    while !rest.is_empty() {
        let unit_at = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: f64 = rest[..unit_at].parse().ok()?;
        let after = &rest[unit_at..];
        let unit = &after[..after
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(after.len())];
        seconds += number
            * match unit {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &after[unit.len()..];
    }
    Some(Duration::from_secs_f64(seconds))
}

fn unreachable(no_answer: &NoAnswer) -> StepResult {
    let (cause, remedy) = match no_answer {
        NoAnswer::Unreachable(_) => (
            "the Collector took the metric, and Prometheus is down or elsewhere",
            "start Prometheus, or correct --prometheus",
        ),
        NoAnswer::Status(..) | NoAnswer::Strange => (
            "what answers is not Prometheus' API",
            "give --prometheus the address of its web page, such as http://localhost:9090",
        ),
    };
    StepResult::failed(no_answer.seen(), cause, remedy)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn intervals_are_read_as_prometheus_writes_them() {
        for (text, milliseconds) in [
            ("15s", 15_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("1h", 3_600_000),
        ] {
            let read = interval(&json!({"scrapeInterval": text}));
            assert_eq!(read, Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(interval(&json!({"scrapeInterval": "soon"})), None);
    }
}
