//! What recorders feel of a scrape.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    declared::{self, metrics},
    label_sets::LabelSets,
    rounds::{Effort, quantile},
    table::Table,
};

/// Records that are timed together, since one alone is about as short as a reading of the clock.
const BATCH: usize = 16;

/// Label sets that are new.
const NEW: usize = 4000;

/// Measures with and without somebody who scrapes without pause, and prints a table.
pub(crate) fn report(effort: Effort) {
    let sets = LabelSets::new([100, 100]);
    let batches = effort.records;
    let alone = batches_of(&sets, batches);
    let new_alone = new_sets(0);
    let (during, new_during) = while_scraped(|| (batches_of(&sets, batches), new_sets(NEW)));
    let mut table = Table::new(
        "While the text is read without pause",
        vec![
            "16 records of known label sets, p99.9",
            "a new label set, p99.9",
            "a new label set, longest",
        ],
    );
    let column = |known: &[Duration], new: &[Duration]| {
        let shown = |time: Duration| format!("{:.1} µs", time.as_secs_f64() * 1e6);
        vec![
            shown(quantile(known, 999)),
            shown(quantile(new, 999)),
            shown(quantile(new, 1000)),
        ]
    };
    table.column("not scraped", column(&alone, &new_alone));
    table.column("scraped", column(&during, &new_during));
    let written = declared::held("bench_record_new_total");
    assert_eq!(written, 2 * NEW as u64, "every new set is there");
    declared::expect("bench_record_new_total", written);
    let counted = 10_000 + 2 * (batches * BATCH) as u64;
    assert_eq!(
        declared::held("bench_record_written_total"),
        counted,
        "every record is there"
    );
    declared::expect("bench_record_written_total", counted);
    table.print();
}

fn batches_of(sets: &LabelSets, batches: usize) -> Vec<Duration> {
    let batch = |batch: usize| {
        let started = Instant::now();
        for visit in batch * BATCH..(batch + 1) * BATCH {
            let (_, [event_type, tenant]) = sets.visit(visit);
            metrics::count_written(event_type, tenant);
        }
        started.elapsed()
    };
    (0..batches).map(batch).collect()
}

fn new_sets(first: usize) -> Vec<Duration> {
    let names: Vec<_> = (first..first + NEW)
        .map(|number| format!("number-{number:05}"))
        .collect();
    let timed = |name: &String| {
        let started = Instant::now();
        metrics::count_new(name);
        let waited = started.elapsed();
        // Spread over many scrapes.
        thread::sleep(Duration::from_micros(50));
        waited
    };
    names.iter().map(timed).collect()
}

fn while_scraped<T>(act: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                rustok_telemetry::prometheus_text().expect("telemetry runs");
            }
        });
        let result = act();
        over.store(true, Ordering::Relaxed);
        result
    })
}
