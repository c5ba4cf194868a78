//! The encoder of the Prometheus text and of OpenMetrics: whatever names, labels and values are, the text is valid.
#![no_main]

#[path = "../../tests/support/valid_text.rs"]
mod valid_text;

use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::{
    arbitrary::{Arbitrary, Result, Unstructured},
    fuzz_target,
};
use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::{
        Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile,
        Summary,
    },
};
use rustok_telemetry::{Telemetry, config::TelemetryConfig};
use valid_text::assert_valid;

/// Few names, because the series of each name are counted until the process ends.
const LETTERS: [char; 8] = ['a', 'Z', '_', ':', '7', '.', 'ü', '"'];
const SUFFIXES: [&str; 6] = ["", "_total", "_bucket", "_sum", "_count", "_seconds"];

/// The metrics of the current input.
static CURRENT: Mutex<Vec<MetricFamily>> = Mutex::new(Vec::new());

struct Current;

impl Collector for Current {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        CURRENT.lock().expect("no panic").clone()
    }
}

static TELEMETRY: LazyLock<Telemetry> = LazyLock::new(|| {
    let config = TelemetryConfig::from_vars([
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ]);
    let registry = Registry::new();
    registry.register(Box::new(Current)).expect("the first one");
    let builder = rustok_telemetry::builder().config(config.expect("valid"));
    let builder = builder.with_prometheus_registry(registry);
    builder.without_subscriber().init().expect("telemetry starts")
});

fuzz_target!(|bytes: &[u8]| {
    LazyLock::force(&TELEMETRY);
    let mut input = Unstructured::new(bytes);
    let Ok(families) = list(&mut input, 6, family) else {
        return;
    };
    *CURRENT.lock().expect("no panic") = families;
    let text = |accept| {
        let text = rustok_telemetry::prometheus_text_for(accept).expect("telemetry runs");
        String::from_utf8(text.body).expect("UTF-8")
    };
    assert_valid(&text("text/plain"));
    let openmetrics = text("application/openmetrics-text");
    assert!(openmetrics.ends_with("\n# EOF\n"), "{openmetrics}");
    for line in openmetrics.lines().filter(|line| !line.starts_with('#')) {
        let sample = line.split(" # ").next().and_then(|sample| sample.rsplit_once(' '));
        let number = sample.and_then(|(_, number)| number.parse::<f64>().ok());
        assert!(number.is_some(), "{line}");
    }
});

fn list<'a, T>(
    input: &mut Unstructured<'a>,
    most: usize,
    item: fn(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..input.int_in_range(0..=most)?).map(|_| item(input)).collect()
}

fn family(input: &mut Unstructured<'_>) -> Result<MetricFamily> {
    let letters = list(input, 2, |input| Ok(*input.choose(&LETTERS)?))?;
    let name: String = letters.into_iter().collect();
    let mut family = MetricFamily::default();
    family.set_name(name + input.choose(&SUFFIXES)?);
    family.set_help(String::arbitrary(input)?);
    let (kind, metric): (_, fn(&mut Unstructured<'_>) -> Result<Metric>) =
        match input.int_in_range(0..=3)? {
            0 => (MetricType::COUNTER, counter),
            1 => (MetricType::GAUGE, gauge),
            2 => (MetricType::HISTOGRAM, histogram),
            _ => (MetricType::SUMMARY, summary),
        };
    family.set_field_type(kind);
    family.set_metric(list(input, 4, metric)?);
    Ok(family)
}

fn labelled(input: &mut Unstructured<'_>) -> Result<Metric> {
    let labels = list(input, 4, |input| {
        let mut label = LabelPair::default();
        label.set_name(match input.int_in_range(0..=4)? {
            0 => "le".to_owned(),
            1 => "__name__".to_owned(),
            _ => String::arbitrary(input)?,
        });
        label.set_value(String::arbitrary(input)?);
        Ok(label)
    })?;
    let mut metric = Metric::default();
    metric.set_label(labels);
    Ok(metric)
}

fn counter(input: &mut Unstructured<'_>) -> Result<Metric> {
    let (mut metric, mut counter) = (labelled(input)?, Counter::default());
    counter.set_value(f64::arbitrary(input)?);
    metric.set_counter(counter);
    Ok(metric)
}

fn gauge(input: &mut Unstructured<'_>) -> Result<Metric> {
    let (mut metric, mut gauge) = (labelled(input)?, Gauge::default());
    gauge.set_value(f64::arbitrary(input)?);
    metric.set_gauge(gauge);
    Ok(metric)
}

fn histogram(input: &mut Unstructured<'_>) -> Result<Metric> {
    let (mut metric, mut histogram) = (labelled(input)?, Histogram::default());
    histogram.set_sample_count(u64::arbitrary(input)?);
    histogram.set_sample_sum(f64::arbitrary(input)?);
    histogram.set_bucket(list(input, 4, |input| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(f64::arbitrary(input)?);
        bucket.set_cumulative_count(u64::arbitrary(input)?);
        Ok(bucket)
    })?);
    metric.set_histogram(histogram);
    Ok(metric)
}

fn summary(input: &mut Unstructured<'_>) -> Result<Metric> {
    let (mut metric, mut summary) = (labelled(input)?, Summary::default());
    summary.set_sample_count(u64::arbitrary(input)?);
    summary.set_sample_sum(f64::arbitrary(input)?);
    summary.set_quantile(list(input, 3, |input| {
        let mut quantile = Quantile::default();
        quantile.set_quantile(f64::arbitrary(input)?);
        quantile.set_value(f64::arbitrary(input)?);
        Ok(quantile)
    })?);
    metric.set_summary(summary);
    Ok(metric)
}
