//! Memory of each live series.

use allocation_counter::measure;
use opentelemetry::KeyValue;
use prometheus::{IntCounterVec, Opts};
use prometheus_client::metrics::{counter::Counter, family::Family};

use crate::{
    declared::{self, metrics},
    label_sets::LabelSets,
    record::{
        opentelemetry::Provider,
        prometheus::histogram,
        prometheus_client::{Labels, histograms},
    },
    table::Table,
};

/// Most bytes that a counter of ours may take, with two labels of about 20 bytes together.
const MOST: i64 = 400;

/// Prints what is allocated for a series and stays, after everything was read once.
pub(crate) fn report() {
    let (counters, times) = (LabelSets::new([100, 100]), LabelSets::new([25, 40]));
    let rows = [
        ("**rustok-telemetry**", rustok(&counters, &times)),
        ("prometheus", of_prometheus(&counters, &times)),
        ("prometheus-client", of_prometheus_client(&counters, &times)),
        (
            "OpenTelemetry, one reader",
            of_opentelemetry(1, &counters, &times),
        ),
        (
            "OpenTelemetry, two readers",
            of_opentelemetry(2, &counters, &times),
        ),
    ];
    let mut table = Table::new(
        "Memory of a live series: bytes",
        rows.iter().map(|(name, _)| *name).collect(),
    );
    table.column(
        "counter, 10,000 series",
        rows.iter()
            .map(|(_, [counter, _])| counter.to_string())
            .collect(),
    );
    table.column(
        "histogram of 12 buckets, 1,000 series",
        rows.iter()
            .map(|(_, [_, histogram])| histogram.to_string())
            .collect(),
    );
    table.print();
}

/// Bytes that stay, for each of the sets.
fn bytes_each(sets: &LabelSets, act: impl FnOnce()) -> i64 {
    measure(act).bytes_current / sets.len() as i64
}

fn rustok(counters: &LabelSets, times: &LabelSets) -> [i64; 2] {
    let counter = bytes_each(counters, || {
        counters
            .iter()
            .for_each(|(_, [event_type, tenant])| metrics::count_written(event_type, tenant));
        assert_eq!(
            declared::held("bench_record_written_total"),
            counters.len() as u64
        );
    });
    let histogram = bytes_each(times, || {
        times
            .iter()
            .for_each(|(_, [event_type, tenant])| metrics::time_written(event_type, tenant, 0.02));
        assert_eq!(
            declared::held("bench_record_written_seconds_count"),
            times.len() as u64
        );
    });
    // Both have been in a text: what a scrape takes for a moment must not stay.
    assert!(counter <= MOST, "{counter} bytes for each counter");
    [counter, histogram]
}

fn of_prometheus(counters: &LabelSets, times: &LabelSets) -> [i64; 2] {
    let counter = IntCounterVec::new(Opts::new("counter", "help"), &["event_type", "tenant_id"])
        .expect("valid");
    let histogram = histogram();
    [
        bytes_each(counters, || {
            counters
                .iter()
                .for_each(|(_, labels)| counter.with_label_values(&labels).inc())
        }),
        bytes_each(times, || {
            times
                .iter()
                .for_each(|(_, labels)| histogram.with_label_values(&labels).observe(0.02))
        }),
    ]
}

fn of_prometheus_client(counters: &LabelSets, times: &LabelSets) -> [i64; 2] {
    let counter = Family::<Labels, Counter>::default();
    let histogram = histograms();
    [
        bytes_each(counters, || {
            counters.iter().for_each(|(_, labels)| {
                counter.get_or_create(&labels.into()).inc();
            });
        }),
        bytes_each(times, || {
            times
                .iter()
                .for_each(|(_, labels)| histogram.get_or_create(&labels.into()).observe(0.02));
        }),
    ]
}

fn of_opentelemetry(readers: usize, counters: &LabelSets, times: &LabelSets) -> [i64; 2] {
    let provider = Provider::new(readers);
    let meter = provider.meter();
    let attributes = |[event_type, tenant]: [&str; 2]| {
        [
            KeyValue::new("event_type", event_type.to_owned()),
            KeyValue::new("tenant_id", tenant.to_owned()),
        ]
    };
    [
        bytes_each(counters, || {
            let counter = meter.u64_counter("counter").build();
            counters
                .iter()
                .for_each(|(_, labels)| counter.add(1, &attributes(labels)));
        }),
        bytes_each(times, || {
            let histogram = meter
                .f64_histogram("histogram")
                .with_boundaries(declared::BOUNDARIES.to_vec())
                .build();
            times
                .iter()
                .for_each(|(_, labels)| histogram.record(0.02, &attributes(labels)));
        }),
    ]
}
