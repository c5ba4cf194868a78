//! The SDK's metrics that are recorded on: one of each kind for each number of series.

use std::sync::{Mutex, PoisonError};

/// Boundaries of every histogram: 12 buckets.
pub(crate) const BOUNDARIES: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

#[rustok_telemetry::metrics(namespace = "bench", subsystem = "record")]
pub(crate) mod metrics {
    use super::BOUNDARIES;

    /// A counter with one series.
    #[counter(name = "one_total", series = 4)]
    pub fn count_one(#[label(budget = 1)] event_type: &str, #[label(budget = 1)] tenant_id: &str);

    /// A gauge with one series.
    #[gauge(name = "one_size", series = 4)]
    pub fn set_one(
        #[label(budget = 1)] event_type: &str,
        #[label(budget = 1)] tenant_id: &str,
        size: i64,
    );

    /// A histogram with one series.
    #[histogram(name = "one_seconds", unit = "s", boundaries = BOUNDARIES, series = 4)]
    pub fn time_one(
        #[label(budget = 1)] event_type: &str,
        #[label(budget = 1)] tenant_id: &str,
        seconds: f64,
    );

    /// A counter with a hundred series.
    #[counter(name = "hundred_total", series = 121)]
    pub fn count_hundred(
        #[label(budget = 10)] event_type: &str,
        #[label(budget = 10)] tenant_id: &str,
    );

    /// A gauge with a hundred series.
    #[gauge(name = "hundred_size", series = 121)]
    pub fn set_hundred(
        #[label(budget = 10)] event_type: &str,
        #[label(budget = 10)] tenant_id: &str,
        size: i64,
    );

    /// A histogram with a hundred series.
    #[histogram(name = "hundred_seconds", unit = "s", boundaries = BOUNDARIES, series = 121)]
    pub fn time_hundred(
        #[label(budget = 10)] event_type: &str,
        #[label(budget = 10)] tenant_id: &str,
        seconds: f64,
    );

    /// A counter with ten thousand series.
    #[counter(name = "many_total", series = 10201)]
    pub fn count_many(
        #[label(budget = 100)] event_type: &str,
        #[label(budget = 100)] tenant_id: &str,
    );

    /// A gauge with ten thousand series.
    #[gauge(name = "many_size", series = 10201)]
    pub fn set_many(
        #[label(budget = 100)] event_type: &str,
        #[label(budget = 100)] tenant_id: &str,
        size: i64,
    );

    /// A histogram with ten thousand series.
    #[histogram(name = "many_seconds", unit = "s", boundaries = BOUNDARIES, series = 10201)]
    pub fn time_many(
        #[label(budget = 100)] event_type: &str,
        #[label(budget = 100)] tenant_id: &str,
        seconds: f64,
    );

    /// A counter with one series of long labels.
    #[counter(name = "long_one_total", series = 4)]
    pub fn count_long_one(#[label(budget = 1)] route: &str, #[label(budget = 1)] tenant_id: &str);

    /// A gauge with one series of long labels.
    #[gauge(name = "long_one_size", series = 4)]
    pub fn set_long_one(
        #[label(budget = 1)] route: &str,
        #[label(budget = 1)] tenant_id: &str,
        size: i64,
    );

    /// A histogram with one series of long labels.
    #[histogram(name = "long_one_seconds", unit = "s", boundaries = BOUNDARIES, series = 4)]
    pub fn time_long_one(
        #[label(budget = 1)] route: &str,
        #[label(budget = 1)] tenant_id: &str,
        seconds: f64,
    );

    /// A counter with four hundred series of long labels.
    #[counter(name = "long_total", series = 505)]
    pub fn count_long(#[label(budget = 4)] route: &str, #[label(budget = 100)] tenant_id: &str);

    /// A gauge with four hundred series of long labels.
    #[gauge(name = "long_size", series = 505)]
    pub fn set_long(
        #[label(budget = 4)] route: &str,
        #[label(budget = 100)] tenant_id: &str,
        size: i64,
    );

    /// A histogram with four hundred series of long labels.
    #[histogram(name = "long_seconds", unit = "s", boundaries = BOUNDARIES, series = 505)]
    pub fn time_long(
        #[label(budget = 4)] route: &str,
        #[label(budget = 100)] tenant_id: &str,
        seconds: f64,
    );

    /// A counter of the text that is written.
    #[counter(name = "written_total", series = 10201)]
    pub fn count_written(
        #[label(budget = 100)] event_type: &str,
        #[label(budget = 100)] tenant_id: &str,
    );

    /// A histogram of the text that is written.
    #[histogram(name = "written_seconds", unit = "s", boundaries = BOUNDARIES, series = 1066)]
    pub fn time_written(
        #[label(budget = 25)] event_type: &str,
        #[label(budget = 40)] tenant_id: &str,
        seconds: f64,
    );

    /// Label sets that are new while somebody scrapes.
    #[counter(name = "new_total", series = 10001)]
    pub fn count_new(#[label(budget = 10000)] number: &str);
}

/// What has to arrive over OTLP at the end.
static EXPECTED: Mutex<Vec<(&str, u64)>> = Mutex::new(Vec::new());

/// Remembers the sum that a metric has for good.
pub(crate) fn expect(name: &'static str, sum: u64) {
    let mut all = EXPECTED.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(other, _)| *other != name);
    all.push((name, sum));
}

/// Each metric that was recorded on, with its sum.
pub(crate) fn expected_sums() -> Vec<(&'static str, u64)> {
    EXPECTED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Sum over all series of a metric in the SDK's text.
pub(crate) fn held(name: &str) -> u64 {
    let text = rustok_telemetry::prometheus_text().expect("telemetry runs");
    let text = String::from_utf8(text.body).expect("text");
    sum_in_text(&text, name)
}

/// Sum over all series of a name in Prometheus' format.
pub(crate) fn sum_in_text(text: &str, name: &str) -> u64 {
    text.lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter(|rest| rest.starts_with(['{', ' ']))
        .filter_map(|rest| rest.rsplit_once(' '))
        .map(|(_, value)| value.parse::<f64>().expect("a number") as u64)
        .sum()
}
