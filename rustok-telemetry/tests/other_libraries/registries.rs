//! Registries of the `prometheus` crate.

use std::sync::atomic::{AtomicBool, Ordering};

use prometheus::{
    Gauge, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
    core::{Collector, Desc},
    proto::{self, MetricFamily, MetricType},
};
use rustok_telemetry::metrics::record_event_published;

use crate::{
    export, exported, exporting,
    receiver::Receiver,
    support::{assert_samples, quiet_panics, samples, text, text_only, valid_text::assert_valid},
};

/// A collector that returns what a function does.
struct Collecting(fn() -> Vec<MetricFamily>);

impl Collector for Collecting {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0()
    }
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: &C) {
    registry
        .register(Box::new(collector.clone()))
        .expect("a new name");
}

fn family(name: &str, kind: MetricType, metric: proto::Metric) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help("Of a collector.".to_owned());
    family.set_field_type(kind);
    family.set_metric(vec![metric]);
    family
}

fn label(name: &str, value: &str) -> proto::LabelPair {
    let mut label = proto::LabelPair::default();
    label.set_name(name.to_owned());
    label.set_value(value.to_owned());
    label
}

/// A summary, and a family of a kind whose values cannot be read.
fn summary_and_untyped() -> Vec<MetricFamily> {
    let mut summary = proto::Summary::default();
    summary.set_sample_count(4);
    summary.set_sample_sum(2.5);
    let quantiles = [(0.5, 0.25), (0.99, 1.5)].map(|(quantile, value)| {
        let mut of_summary = proto::Quantile::default();
        of_summary.set_quantile(quantile);
        of_summary.set_value(value);
        of_summary
    });
    summary.set_quantile(quantiles.to_vec());
    let mut metric = proto::Metric::default();
    metric.set_label(vec![label("route", "/\"quoted\"")]);
    metric.set_summary(summary);
    vec![
        family("reg_wait", MetricType::SUMMARY, metric),
        family("reg_untyped", MetricType::UNTYPED, proto::Metric::default()),
    ]
}

#[test_fork::test]
fn summaries_become_gauges_and_counters() {
    let receiver = Receiver::start();
    let registry = Registry::new();
    registry
        .register(Box::new(Collecting(summary_and_untyped)))
        .expect("registered");
    let telemetry = exporting(&receiver, "cumulative")
        .with_prometheus_registry(registry)
        .init()
        .expect("telemetry starts");
    let text = text();
    assert_valid(&text);
    let route = r#"route="/\"quoted\"""#;
    assert_samples(
        &text,
        "reg_wait",
        &[
            (&format!("{{quantile=\"0.5\",{route}}}"), "0.25"),
            (&format!("{{quantile=\"0.99\",{route}}}"), "1.5"),
        ],
    );
    assert_samples(&text, "reg_wait_sum", &[(&format!("{{{route}}}"), "2.5")]);
    assert_samples(&text, "reg_wait_count", &[(&format!("{{{route}}}"), "4")]);
    assert!(!text.contains("reg_untyped"));
    let export = exported(&export(&telemetry, &receiver), "reg_");
    assert_eq!(export.len(), 4, "{export:?}");
    assert_eq!(export[&format!("reg_wait_sum{{{route}}}")], 2.5);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn label_sets_beyond_the_limit_are_dropped_and_counted() {
    let registry = Registry::new();
    let limited = IntCounterVec::new(Opts::new("reg_limited_total", "Counted."), &["user"]);
    let limited = limited.expect("valid");
    register(&registry, &limited);
    let telemetry = text_only()
        .with_prometheus_registry(registry)
        .init()
        .expect("telemetry starts");
    let add = |users: std::ops::Range<u32>| {
        for user in users {
            limited.with_label_values(&[&format!("{user:05}")]).inc();
        }
    };
    add(1_000..3_000);
    let dropped = "rustok_telemetry_observations_dropped_total";
    assert_eq!(samples(&text(), "reg_limited_total").len(), 2_000);
    assert_eq!(
        samples(&text(), dropped).get("{metric=\"reg_limited_total\"}"),
        None
    );
    // The registry orders series by their labels: these come before those that are known.
    add(0..10);
    let _ = text();
    let text = text();
    assert_valid(&text);
    let counted = samples(&text, "reg_limited_total");
    assert_eq!(counted.len(), 2_000);
    assert!(counted.contains_key("{user=\"02999\"}"));
    assert!(!counted.contains_key("{user=\"00000\"}"));
    let dropped = &samples(&text, dropped)["{metric=\"reg_limited_total\"}"];
    assert_eq!(dropped, "10");
    let _ = telemetry.shutdown();
}

static PANICS: AtomicBool = AtomicBool::new(true);

#[test_fork::test]
fn a_panicking_collector_leaves_out_its_registry() {
    quiet_panics();
    let (careless, careful) = (Registry::new(), Registry::new());
    let collects = || match PANICS.load(Ordering::Relaxed) {
        true => panic!("careless"),
        false => Vec::new(),
    };
    careless
        .register(Box::new(Collecting(collects)))
        .expect("registered");
    let beside = IntCounter::new("reg_beside_total", "Beside.").expect("valid");
    register(&careless, &beside);
    let other = IntCounter::new("reg_other_total", "Other.").expect("valid");
    register(&careful, &other);
    let telemetry = text_only()
        .with_prometheus_registry(careless)
        .with_prometheus_registry(careful)
        .init()
        .expect("telemetry starts");
    let _ = text();
    let panicked = text();
    assert_valid(&panicked);
    assert_eq!(samples(&panicked, "reg_beside_total").len(), 0);
    assert_samples(&panicked, "reg_other_total", &[("", "0")]);
    let panics = "rustok_telemetry_observation_panics_total";
    assert_samples(&panicked, panics, &[("", "1")]);
    PANICS.store(false, Ordering::Relaxed);
    assert_samples(&text(), "reg_beside_total", &[("", "0")]);
    let _ = telemetry.shutdown();
}

/// Upper bounds that are repeated, fall, or are no numbers.
fn careless_histogram() -> Vec<MetricFamily> {
    let bounds = [1.0, 1.0, 0.5, f64::NAN, 2.0];
    let buckets = bounds.iter().zip([1, 1, 1, 1, 3]).map(|(bound, count)| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(4);
    histogram.set_sample_sum(9.0);
    let mut metric = proto::Metric::default();
    metric.set_histogram(histogram);
    vec![family("reg_careless", MetricType::HISTOGRAM, metric)]
}

#[test_fork::test]
fn a_histogram_with_invalid_bounds_leaves_the_text_valid() {
    let registry = Registry::new();
    registry
        .register(Box::new(Collecting(careless_histogram)))
        .expect("registered");
    let telemetry = text_only()
        .with_prometheus_registry(registry)
        .init()
        .expect("telemetry starts");
    let text = text();
    assert_valid(&text);
    let buckets = [
        ("{le=\"+Inf\"}", "4"),
        ("{le=\"1\"}", "1"),
        ("{le=\"2\"}", "3"),
    ];
    assert_samples(&text, "reg_careless_bucket", &buckets);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn names_that_collide_leave_the_text_valid() {
    let (registry, second) = (Registry::new(), Registry::new());
    let published = Opts::new("rustok_event_bus_published_total", "Of another library.");
    let published = IntCounterVec::new(published, &["event_type", "tenant_id"]).expect("valid");
    register(&registry, &published);
    let gauge = Gauge::new("own_things_total", "A gauge.").expect("valid");
    register(&registry, &gauge);
    let histogram = HistogramOpts::new("reg_time", "Timed.");
    let histogram = prometheus::Histogram::with_opts(histogram).expect("valid");
    register(&registry, &histogram);
    for (registry, value) in [(&registry, 1), (&second, 2)] {
        let both = IntGaugeVec::new(Opts::new("reg_both", "In both."), &["kind"]);
        let both = both.expect("valid");
        register(registry, &both);
        both.with_label_values(&["same"]).set(value);
        both.with_label_values(&[&value.to_string()]).set(value);
    }
    let telemetry = text_only()
        .with_metrics_facade()
        .with_prometheus_registry(registry)
        .with_prometheus_registry(second)
        .init()
        .expect("telemetry starts");
    crate::own::record_thing("a");
    record_event_published("OrderPlaced", "acme");
    published
        .with_label_values(&["OrderPlaced", "acme"])
        .inc_by(9);
    published
        .with_label_values(&["OrderPlaced", "globex"])
        .inc_by(9);
    metrics::counter!("reg_time_count").increment(9);
    metrics::counter!("reg_both", "kind" => "1").increment(9);
    for _ in 0..2 {
        let text = text();
        assert_valid(&text);
        assert_samples(
            &text,
            "rustok_event_bus_published_total",
            &[
                ("{event_type=\"OrderPlaced\",tenant_id=\"acme\"}", "1"),
                ("{event_type=\"OrderPlaced\",tenant_id=\"globex\"}", "9"),
            ],
        );
        assert_samples(&text, "own_things_total", &[("{kind=\"a\"}", "1")]);
        // The scope `metrics` comes before `prometheus`.
        assert_samples(&text, "reg_time_count", &[("", "9")]);
        assert_samples(&text, "reg_both", &[("{kind=\"1\"}", "9")]);
    }
    let _ = telemetry.shutdown();
}
