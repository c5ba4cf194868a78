//! Metrics as samples of Prometheus, from any source: the text, and what exporters of the SDK get.

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics};

/// Name and labels → value.
pub(crate) type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Returns the samples of a Prometheus text, without `target_info`.
pub(crate) fn of_text(text: &str) -> Samples {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let samples = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.trim_end_matches('}')),
            None => (series, ""),
        };
        let labels = labels.split("\",").filter(|label| !label.is_empty());
        let labels = labels.map(|label| {
            let (key, value) = label.split_once("=\"").expect("a label");
            label_of(key, value.trim_end_matches('"'))
        });
        let value = value.parse().expect("a number");
        ((name.to_owned(), labels.collect()), value)
    });
    samples
        .filter(|((name, _), _)| name != "target_info")
        .collect()
}

/// Bounds are compared as numbers.
fn label_of(key: &str, value: &str) -> (String, String) {
    let value = match (key, value) {
        ("le", "+Inf") => f64::INFINITY.to_string(),
        ("le", bound) => bound.parse::<f64>().expect("a bound").to_string(),
        (_, value) => value.to_owned(),
    };
    (key.to_owned(), value)
}

/// Returns the samples of a collection.
pub(crate) fn of_collection(collected: &ResourceMetrics) -> Samples {
    let mut samples = Samples::new();
    for metric in collected.scope_metrics().flat_map(|scope| scope.metrics()) {
        match metric.data() {
            AggregatedMetrics::F64(data) => add(&mut samples, metric, data, |value| value),
            AggregatedMetrics::U64(data) => add(&mut samples, metric, data, |value| value as f64),
            AggregatedMetrics::I64(data) => add(&mut samples, metric, data, |value| value as f64),
        }
    }
    samples
}

fn add<T: Copy>(
    samples: &mut Samples,
    metric: &Metric,
    data: &MetricData<T>,
    number: fn(T) -> f64,
) {
    let mut insert = |suffix: &str, attributes: Vec<&KeyValue>, bound: Option<f64>, value: f64| {
        let labels = attributes.iter().map(|attribute| {
            let (key, value) = (attribute.key.to_string(), attribute.value.to_string());
            (key, value)
        });
        let bound = bound.map(|bound| ("le".to_owned(), bound.to_string()));
        let key = (
            format!("{}{suffix}", metric.name()),
            labels.chain(bound).collect(),
        );
        let twice = samples.insert(key, value);
        assert!(twice.is_none(), "{} twice", metric.name());
    };
    match data {
        MetricData::Gauge(gauge) => gauge.data_points().for_each(|point| {
            insert(
                "",
                point.attributes().collect(),
                None,
                number(point.value()),
            );
        }),
        MetricData::Sum(sum) => sum.data_points().for_each(|point| {
            insert(
                "",
                point.attributes().collect(),
                None,
                number(point.value()),
            );
        }),
        MetricData::Histogram(histogram) => {
            for point in histogram.data_points() {
                let attributes: Vec<_> = point.attributes().collect();
                let mut sum = 0;
                let bounds = point.bounds().chain([f64::INFINITY]);
                for (bound, count) in bounds.zip(point.bucket_counts()) {
                    sum += count;
                    insert("_bucket", attributes.clone(), Some(bound), sum as f64);
                }
                insert("_sum", attributes.clone(), None, number(point.sum()));
                insert("_count", attributes, None, point.count() as f64);
            }
        }
        MetricData::ExponentialHistogram(_) => panic!("{} is exponential", metric.name()),
    }
}

/// Compares every sample; of `process_*`, which change all the time, the names and labels.
#[track_caller]
pub(crate) fn assert_same(exported: &Samples, text: &Samples) {
    let only_in = |a: &Samples, b: &Samples| {
        let keys = a.keys().filter(|key| !b.contains_key(*key));
        keys.cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        (only_in(exported, text), only_in(text, exported)),
        (vec![], vec![])
    );
    for (key, value) in text {
        if !key.0.starts_with("process_") {
            assert_eq!(exported[key], *value, "{key:?}");
        }
    }
}

/// Returns the samples that the exporter of OpenTelemetry's crate has printed.
pub(crate) fn of_printed(printed: &str) -> Samples {
    let mut samples = Samples::new();
    let (mut metric, mut labels) = (String::new(), BTreeMap::new());
    // Name, suffix, bound and value of the samples of a data point, whose labels come between them.
    let mut pending: Vec<(String, Option<f64>, f64)> = Vec::new();
    let mut cumulative = 0.0;
    let mut finish = |pending: &mut Vec<(String, Option<f64>, f64)>,
                      labels: &mut BTreeMap<String, String>| {
        for (name, bound, value) in pending.drain(..) {
            let mut labels = labels.clone();
            labels.extend(bound.map(|bound| ("le".to_owned(), bound.to_string())));
            assert!(samples.insert((name, labels), value).is_none());
        }
        labels.clear();
    };
    for line in printed.lines().map(str::trim) {
        let value = line.rsplit(": ").next().unwrap_or_default();
        let number = || value.parse().expect("a number");
        match line.split([' ', ':']).next().unwrap_or_default() {
            "Name" => {
                finish(&mut pending, &mut labels);
                metric = value.to_owned();
            }
            "DataPoint" => {
                finish(&mut pending, &mut labels);
                cumulative = 0.0;
            }
            "Description" => {}
            "Value" => pending.push((metric.clone(), None, number())),
            "Count" => pending.push((format!("{metric}_count"), None, number())),
            "Sum" if line.contains(" : ") && !value.is_empty() => {
                pending.push((format!("{metric}_sum"), None, number()));
            }
            // Before the first metric come the attributes of the resource.
            "->" if !metric.is_empty() => {
                let (_, label) = line.split_once("->  ").expect("a label");
                let (key, value) = label.split_once(": ").expect("a value");
                labels.insert(key.to_owned(), value.to_owned());
            }
            _ => {
                if let Some((_, bucket)) = line.split_once(" to ") {
                    let (bound, _) = bucket.split_once(' ').expect("a count");
                    let bound = bound.parse().expect("a bound");
                    cumulative += bucket
                        .rsplit(' ')
                        .next()
                        .map_or(0.0, |count| count.parse::<f64>().expect("a count"));
                    pending.push((format!("{metric}_bucket"), Some(bound), cumulative));
                }
            }
        }
    }
    finish(&mut pending, &mut labels);
    samples
}
