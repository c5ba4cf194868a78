//! Looks for the marked counter in Prometheus.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::{
    marked::METRIC,
    options::Options,
    query::{Api, QueryError, eventually},
    step::{Step, StepResult},
};

/// Looks for the counter until Prometheus has it or the time is over.
pub fn arrival(url: &Url, run: &str, options: &Options) -> Step {
    Step::time("prometheus", url.as_str(), || {
        let api = Api::new(url);
        let series = format!("{METRIC}{{run=\"{run}\"}}");
        match eventually(options.wait, || value(&api, &series)) {
            Ok(Some(value)) => StepResult::Ok(format!("found, with the value {value}")),
            Ok(None) => missing(&api, &series, options).unwrap_or_else(|error| failed(&error)),
            Err(error) => failed(&error),
        }
    })
}

/// Returns the value of the series, if Prometheus has it.
fn value(api: &Api<'_>, series: &str) -> Result<Option<String>, QueryError> {
    let answer = api.get(&["api", "v1", "query"], &[("query", series)])?;
    let result = answer["data"]["result"].as_array();
    match (answer["status"].as_str(), result) {
        (Some("success"), Some(result)) => {
            let sample = result.first();
            let value = sample.and_then(|sample| sample["value"][1].as_str());
            Ok(value.map(str::to_owned))
        }
        _ => Err(QueryError::Unexpected),
    }
}

/// Explains by the scrape targets why the series is missing.
fn missing(api: &Api<'_>, series: &str, options: &Options) -> Result<StepResult, QueryError> {
    let seen = format!("no {series} after {} s", options.wait.as_secs());
    let between = "the Collector accepted the counter, and it did not arrive in Prometheus";
    let answer = api.get(&["api", "v1", "targets"], &[("state", "active")])?;
    let targets = answer["data"]["activeTargets"].as_array();
    let targets = targets.map(Vec::as_slice).unwrap_or_default();
    let down: Vec<_> = targets.iter().filter_map(down).collect();
    let interval = targets.iter().filter_map(interval).max();
    let interval = interval.filter(|interval| *interval >= options.wait);
    let (cause, remedy) = if targets.is_empty() {
        (
            format!("{between}: it has no scrape targets"),
            "add the Collector's Prometheus port (8889) to the scrape targets".to_owned(),
        )
    } else if !down.is_empty() {
        (
            format!("{between}; scrape targets that are down: {}", down.join("; ")),
            "if the Collector's Prometheus port (8889) is among them, see its error; if it is no target, add it"
                .to_owned(),
        )
    } else if let Some(interval) = interval.map(|interval| interval.as_secs()) {
        (
            format!("the scrape interval of {interval} s is not shorter than --wait"),
            format!("set --wait to {}", interval * 2),
        )
    } else {
        (
            format!("{between}, although all scrape targets are up"),
            "check that the Collector's Prometheus port (8889) is a scrape target, and that its pipeline for metrics has \
             the exporter `prometheus`"
                .to_owned(),
        )
    };
    Ok(StepResult::failed(seen, cause, remedy))
}

/// Returns the URL and the error of a target that is down.
fn down(target: &Value) -> Option<String> {
    (target["health"] == "down").then(|| {
        let text = |key: &str| target[key].as_str().unwrap_or_default();
        let error = text("lastError");
        let error = error.rsplit_once(": ").map_or(error, |(_, last)| last);
        format!("{} ({error})", text("scrapeUrl"))
    })
}

/// Returns a target's scrape interval, which is written like `15s` or `1m30s`.
fn interval(target: &Value) -> Option<Duration> {
    humantime::parse_duration(target["scrapeInterval"].as_str()?).ok()
}

fn failed(error: &QueryError) -> StepResult {
    let (cause, remedy) = match error {
        QueryError::Unreachable(_) => (
            "the Collector accepted the counter, and Prometheus is down or has another address",
            "start Prometheus, or correct --prometheus",
        ),
        QueryError::Status(..) | QueryError::Unexpected => (
            "the answer is not from Prometheus' HTTP API",
            "set --prometheus to the address of Prometheus' UI, such as http://localhost:9090",
        ),
    };
    StepResult::failed(error.to_string(), cause, remedy)
}
