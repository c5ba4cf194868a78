//! The `metrics` crate.

use std::{collections::BTreeMap, thread};

use allocation_counter::measure;
use metrics::{
    KeyName, NoopRecorder, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_sdk::metrics::{Aggregation, Stream};
use rustok_telemetry::InitError;

use crate::{
    export, exported, exporting,
    receiver::Receiver,
    shown,
    support::{assert_samples, samples, text, text_only, valid_text::assert_valid},
};

#[test_fork::test]
fn every_operation_of_a_handle_is_recorded() {
    let telemetry = text_only()
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    let counted = counter!("facade_counted", "kind" => "a");
    counted.increment(3);
    counted.absolute(2);
    counted.increment(1);
    counted.absolute(10);
    counter!("facade_counted", "kind" => "a").absolute(9);
    let level = gauge!("facade.level");
    level.set(2.5);
    level.increment(4.0);
    level.decrement(1.0);
    let timed = histogram!("facade_seconds");
    timed.record(0.2);
    timed.record_many(2.0, 3);
    timed.record(f64::NAN);
    let text = text();
    assert_valid(&text);
    assert_samples(&text, "facade_counted", &[("{kind=\"a\"}", "10")]);
    assert_samples(&text, "facade_level", &[("", "5.5")]);
    assert_samples(&text, "facade_seconds_count", &[("", "4")]);
    assert_samples(&text, "facade_seconds_sum", &[("", "6.2")]);
    assert!(
        text.contains("facade_seconds_bucket{le=\"0.25\"} 1\n"),
        "{text}"
    );
    assert_eq!(rustok_telemetry::lost_records().not_finite, 1);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn units_and_help_are_those_that_are_described() {
    let receiver = Receiver::start();
    let telemetry = exporting(&receiver, "cumulative")
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    describe_histogram!("described_wait", Unit::Seconds, "Time spent waiting.");
    describe_gauge!("described_size", Unit::Bytes, "Size.");
    histogram!("described_wait").record(0.002);
    gauge!("described_size").set(1.0);
    counter!("described_total").increment(1);
    describe_counter!("described_total", format!("Late {}.", "help"));
    describe_counter!("described_total", "Late help.");
    let text = text();
    assert!(
        text.contains("# HELP described_total Late help.\n"),
        "{text}"
    );
    assert!(
        text.contains("# HELP described_wait Time spent waiting.\n"),
        "{text}"
    );
    assert!(
        text.contains("described_wait_bucket{le=\"0.0025\"} 1\n"),
        "{text}"
    );
    let request = export(&telemetry, &receiver);
    let metrics = request.metrics();
    let heads: BTreeMap<_, _> = metrics
        .iter()
        .filter(|metric| metric.name.starts_with("described_"))
        .map(|metric| (&*metric.name, (&*metric.unit, &*metric.description)))
        .collect();
    let expected = [
        ("described_size", ("By", "Size.")),
        ("described_total", ("", "Late help.")),
        ("described_wait", ("s", "Time spent waiting.")),
    ];
    assert_eq!(heads, BTreeMap::from(expected));
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn boundaries_follow_unit_and_name() {
    let telemetry = text_only()
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    describe_histogram!("a.duration", Unit::Milliseconds, "In milliseconds.");
    for name in ["a.duration", "b_duration", "c.seconds", "d_bytes", "other"] {
        histogram!(name).record(1.0);
    }
    let text = text();
    let first = |name: &str| {
        let prefix = format!("{name}_bucket{{le=\"");
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(&*prefix));
        lines.next().and_then(|line| line.split('"').next())
    };
    assert_eq!(first("a_duration"), Some("0"));
    assert_eq!(first("b_duration"), Some("0.001"));
    assert_eq!(first("c_seconds"), Some("0.001"));
    assert_eq!(first("d_bytes"), Some("64"));
    assert_eq!(first("other"), Some("0"));
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn views_of_the_service_apply() {
    let telemetry = text_only()
        .with_metrics_facade()
        .with_view(|instrument| {
            let aggregation = match instrument.name() {
                "viewed_seconds" => Aggregation::ExplicitBucketHistogram {
                    boundaries: vec![7.0],
                    record_min_max: false,
                },
                "viewed_total" => Aggregation::Drop,
                _ => return None,
            };
            Stream::builder().with_aggregation(aggregation).build().ok()
        })
        .init()
        .expect("telemetry starts");
    histogram!("viewed_seconds").record(1.0);
    counter!("viewed_total").increment(1);
    let text = text();
    let buckets = [("{le=\"+Inf\"}", "1"), ("{le=\"7\"}", "1")];
    assert_samples(&text, "viewed_seconds_bucket", &buckets);
    assert!(!text.contains("viewed_total"), "{text}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn handles_do_not_allocate_at_steady_state() {
    let telemetry = text_only()
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    let kept = (
        counter!("kept_total"),
        gauge!("kept"),
        histogram!("kept_seconds"),
    );
    let record = || {
        counter!("again_total", "kind" => "a").increment(1);
        counter!("again_total", "kind" => "a").absolute(1_000_000);
        gauge!("again", "kind" => "a").increment(1.0);
        histogram!("again_seconds", "kind" => "a").record(0.1);
        kept.0.increment(1);
        kept.1.set(2.0);
        kept.2.record(0.1);
    };
    record();
    let at_steady_state = measure(|| (0..100).for_each(|_| record()));
    assert_eq!(at_steady_state.count_total, 0, "{at_steady_state:?}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn threads_lose_no_change_of_a_gauge() {
    let telemetry = text_only()
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    gauge!("shared", "kind" => "a").increment(3.0);
                    gauge!("shared", "kind" => "a").decrement(1.0);
                    counter!("shared_total").increment(1);
                }
            });
        }
    });
    let text = text();
    assert_samples(&text, "shared", &[("{kind=\"a\"}", "8000")]);
    assert_samples(&text, "shared_total", &[("", "4000")]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn label_sets_in_any_order_are_one_series() {
    let telemetry = text_only()
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    counter!("ordered_total", "a" => "1", "b" => "2").absolute(5);
    counter!("ordered_total", "b" => "2", "a" => "1").absolute(5);
    // Of labels with the same name, the last counts.
    counter!("ordered_total", "a" => "0", "b" => "2", "a" => "1").absolute(6);
    let series = ("{a=\"1\",b=\"2\"}", "6");
    assert_samples(&text(), "ordered_total", &[series]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn label_sets_beyond_the_limit_share_a_series() {
    let telemetry = text_only()
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    for _ in 0..2 {
        for user in 0..2_100 {
            counter!("limited_total", "user" => user.to_string()).increment(1);
        }
    }
    let text = text();
    assert_valid(&text);
    let samples = samples(&text, "limited_total");
    assert_eq!(samples.len(), 2_000);
    assert_eq!(samples["{user=\"0\"}"], "2");
    assert_eq!(samples["{otel_metric_overflow=\"true\"}"], "202");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn names_that_collide_leave_the_text_valid() {
    let telemetry = text_only()
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    crate::own::record_thing("a");
    crate::own::record_thing_seconds("a", 0.7);
    counter!("own_things_total", "kind" => "a").increment(7);
    counter!("own_things_total", "kind" => "b").increment(7);
    gauge!("own_thing_seconds").set(1.0);
    counter!("own_thing_seconds_count", "kind" => "a").increment(7);
    counter!("twice").increment(1);
    gauge!("twice").set(2.0);
    // Names that OpenTelemetry's SDK rejects.
    counter!("tokio::tasks total").increment(1);
    counter!("2xx_total").increment(1);
    let text = text();
    assert_valid(&text);
    let things = [("{kind=\"a\"}", "1"), ("{kind=\"b\"}", "7")];
    assert_samples(&text, "own_things_total", &things);
    assert_samples(&text, "own_thing_seconds_count", &[("{kind=\"a\"}", "1")]);
    assert_eq!(samples(&text, "own_thing_seconds").len(), 0);
    assert_eq!(samples(&text, "twice").len(), 1);
    assert_samples(&text, "tokio__tasks_total", &[("", "1")]);
    assert_samples(&text, "metric_2xx_total", &[("", "1")]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn delta_exports_have_the_changes() {
    let receiver = Receiver::start();
    let telemetry = exporting(&receiver, "delta")
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    let mut exports = Vec::new();
    for value in [4, 10] {
        counter!("delta_added_total").increment(2);
        counter!("delta_synced_total").absolute(value);
        histogram!("delta_seconds").record(1.0);
        if value == 4 {
            gauge!("delta_level").increment(3.0);
        }
        let request = export(&telemetry, &receiver);
        for metric in request.metrics() {
            if let Some(Data::Sum(sum)) = metric.data
                && metric.name.starts_with("delta_")
            {
                assert_eq!(sum.aggregation_temporality, 1, "{}", metric.name);
                assert!(sum.is_monotonic);
            }
        }
        exports.push(exported(&request, "delta_"));
    }
    for (export, synced) in exports.iter().zip([4.0, 6.0]) {
        let expected = [
            ("delta_added_total", 2.0),
            ("delta_level", 3.0),
            ("delta_seconds_count", 1.0),
            ("delta_seconds_sum", 1.0),
            ("delta_synced_total", synced),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(export, &BTreeMap::from(expected));
    }
    let shown = shown(&text(), "delta_");
    assert_eq!(
        (shown["delta_added_total"], shown["delta_synced_total"]),
        (4.0, 10.0)
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_recorder_of_another_library_is_an_error() {
    metrics::set_global_recorder(NoopRecorder).expect("the first one");
    let error = text_only().with_metrics_facade().init();
    let error = error.expect_err("there is a recorder");
    assert!(matches!(error, InitError::RecorderAlreadySet), "{error}");
    assert!(error.to_string().contains("with_metrics_facade"), "{error}");
    let telemetry = text_only().init().expect("nothing was installed");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_start_after_a_failed_one_records() {
    let subscriber = tracing::subscriber::NoSubscriber::new();
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    let error = text_only().with_metrics_facade().init();
    let error = error.expect_err("there is a subscriber");
    assert!(matches!(error, InitError::SubscriberAlreadySet), "{error}");
    counter!("early_total").increment(1);
    let telemetry = text_only()
        .with_metrics_facade()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    counter!("early_total").increment(1);
    assert_samples(&text(), "early_total", &[("", "1")]);
    // As `describe_counter!` does.
    metrics::with_recorder(|recorder| {
        let name = KeyName::from_const_str("early_total");
        recorder.describe_counter(name, None, "Early.".into());
    });
    assert!(text().contains("# HELP early_total Early.\n"));
    let _ = telemetry.shutdown();
}

/// Each value is another key, which is not kept.
#[test_fork::test]
fn oversized_label_values_are_folded() {
    let telemetry = text_only()
        .with_metrics_facade()
        .init()
        .expect("telemetry starts");
    let longest = "x".repeat(256);
    counter!("facade_folded", "kind" => longest.clone()).increment(1);
    let record = |number: usize| {
        let value = format!("{number}{}", "y".repeat(1 << 16));
        counter!("facade_folded", "kind" => value.clone()).increment(1);
        gauge!("facade_level", "kind" => value.clone()).set(1.0);
        histogram!("facade_seconds", "kind" => value).record(1.0);
    };
    (0..10).for_each(record);
    let further = measure(|| (10..110).for_each(record));
    assert!(further.bytes_current < 1 << 16, "{further:?}");
    let text = text();
    assert_valid(&text);
    let folded = [
        ("{kind=\"other\"}", "110"),
        (&*format!("{{kind=\"{longest}\"}}"), "1"),
    ];
    assert_samples(&text, "facade_folded", &folded);
    assert_samples(&text, "facade_level", &[("{kind=\"other\"}", "1")]);
    assert_samples(
        &text,
        "facade_seconds_count",
        &[("{kind=\"other\"}", "110")],
    );
    let _ = telemetry.shutdown();
}
