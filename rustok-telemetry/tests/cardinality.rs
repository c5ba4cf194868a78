//! A flood of distinct values in each label of each metric: memory is bounded, and the label is named.

#[path = "support/any_metric.rs"]
mod any_metric;
mod support;

use std::{fmt::Write as _, sync::Barrier, thread};

use allocation_counter::measure;
use any_metric::{MOST_LABELS, record, recorded_labels};
use rustok_telemetry::{
    __private::{CATALOGUE, RegisteredMetric},
    health,
};

const THREADS: usize = 4;

/// Distinct values of each label, over all threads. The benchmark `cardinality` records a million.
const VALUES: usize = 20_000;

/// Bytes that a series takes at most, with its label values and its places in the tables.
const BYTES_OF_SERIES: usize = 1_500;

/// Bytes and allocations at most for cells that spread over stripes, because several threads write to them.
const STRIPES: (i64, u64) = (32 << 10, 16);

/// Records distinct values of one label from all threads, with the same values of the others. Returns the bytes that
/// stay allocated, and the number of allocations.
fn flood(metric: &dyn RegisteredMetric, position: usize, first: usize) -> (i64, u64) {
    let start = Barrier::new(THREADS);
    let labels = metric.declaration().labels.len();
    let run = |thread: usize| {
        let mut value = String::with_capacity(32);
        start.wait();
        measure(|| {
            for number in (first + thread..first + VALUES).step_by(THREADS) {
                value.clear();
                write!(value, "value-{number}").expect("room");
                let mut all = ["steady"; MOST_LABELS];
                all[position] = &value;
                record(metric, &all[..labels]);
            }
        })
    };
    thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        threads.into_iter().fold((0, 0), |(bytes, count), thread| {
            let measured = thread.join().expect("no panic");
            let (more, times) = (measured.bytes_current, measured.count_total);
            (bytes + more, count + times)
        })
    })
}

/// Floods the label at this position of each metric.
fn flood_labels(position: usize) {
    let telemetry = support::text_only().init().expect("telemetry starts");
    let mut expected = Vec::new();
    for &metric in CATALOGUE {
        if position >= recorded_labels(metric) {
            continue;
        }
        let declaration = metric.declaration();
        let (name, label) = (declaration.name, declaration.labels[position].name);
        let (bytes, _) = flood(metric, position, 0);
        let most = declaration.series_limit() * BYTES_OF_SERIES;
        assert!(bytes <= most as i64, "{name}, {label}: {bytes} bytes");
        let again = flood(metric, position, VALUES);
        let is_bounded = again.0 <= STRIPES.0 && again.1 <= STRIPES.1;
        assert!(is_bounded, "{name}, {label}: further values take {again:?}");
        expected.push((name, label));
    }
    assert!(expected.len() > 1);
    expected.sort_unstable();
    let folded = health().labels_folded;
    let named: Vec<_> = folded.iter().map(|it| (it.metric, it.label)).collect();
    assert_eq!(named, expected, "the labels at fault, and no other");
    for folded in folded {
        assert!(folded.records > VALUES as u64, "{folded:?}");
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_flood_of_first_labels_is_bounded_and_named() {
    flood_labels(0);
}

#[test_fork::test]
fn a_flood_of_second_labels_is_bounded_and_named() {
    flood_labels(1);
}

#[test_fork::test]
fn a_flood_of_third_labels_is_bounded_and_named() {
    flood_labels(2);
}

#[test]
fn the_floods_take_each_label() {
    let labels = CATALOGUE.iter().map(|metric| recorded_labels(*metric));
    assert_eq!(labels.max(), Some(MOST_LABELS));
}
