//! A million distinct values in each label of each metric of the library, from four threads.

use std::{
    fmt::Write as _,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use allocation_counter::measure;
use rustok_telemetry::{
    __private::{CATALOGUE, RegisteredMetric},
    health,
};

use crate::{
    any_metric::{MOST_LABELS, record, recorded_labels},
    rounds::{Effort, quantile},
    table::Table,
};

const THREADS: usize = 4;

/// The longest that 999 of 1,000 records may take.
const MOST: Duration = Duration::from_micros(50);

/// What the flood of one label did.
struct Flood {
    metric: &'static str,
    label: &'static str,
    median: Duration,
    p999: Duration,
    longest: Duration,
    /// Bytes that stay.
    bytes: i64,
}

/// Floods each label, and prints the time of a record and the memory that stays.
pub(crate) fn report(effort: Effort) {
    let values = if effort.is_quick() { 20_000 } else { 1_000_000 };
    let mut floods = Vec::new();
    for &metric in CATALOGUE {
        let is_of_library = metric
            .declaration()
            .module
            .starts_with("rustok_telemetry::");
        for position in 0..recorded_labels(metric) {
            if is_of_library {
                floods.push(flood(metric, position, values));
            }
        }
    }
    let folded = health().labels_folded;
    for Flood { metric, label, .. } in &floods {
        let is_named = folded
            .iter()
            .any(|it| (it.metric, it.label) == (metric, label));
        assert!(is_named, "{metric}, {label}");
    }
    floods.sort_by_key(|flood| flood.p999);
    let count = floods.len();
    let micros = |time: Duration| format!("{:.2} µs", time.as_secs_f64() * 1e6);
    let cells = |of: &dyn Fn(&Flood) -> Duration| {
        let mut times: Vec<_> = floods.iter().map(of).collect();
        times.sort();
        vec![micros(times[count / 2]), micros(times[count - 1])]
    };
    let title =
        format!("{values} distinct values in each of {count} labels, {THREADS} threads: a record");
    let mut table = Table::new(title, vec!["median over the labels", "worst label"]);
    table.column("median", cells(&|flood| flood.median));
    table.column("p99.9", cells(&|flood| flood.p999));
    table.column("longest", cells(&|flood| flood.longest));
    table.print();
    let worst = &floods[count - 1];
    let bytes: i64 = floods.iter().map(|flood| flood.bytes).sum();
    println!(
        "\nMemory that stays: {:.1} MB. Worst p99.9: label {} of {}.",
        bytes as f64 / 1e6,
        worst.label,
        worst.metric
    );
    assert!(effort.is_quick() || worst.p999 < MOST, "{:?}", worst.p999);
}

/// Records distinct values of one label, with the same values of the others.
fn flood(metric: &dyn RegisteredMetric, position: usize, values: usize) -> Flood {
    let start = Barrier::new(THREADS);
    let declaration = metric.declaration();
    let labels = declaration.labels.len();
    let run = |thread: usize| {
        let mut value = String::with_capacity(32);
        let mut times = Vec::with_capacity(values / THREADS + 1);
        start.wait();
        let measured = measure(|| {
            for number in (thread..values).step_by(THREADS) {
                value.clear();
                write!(value, "value-{number}").expect("room");
                let mut all = ["steady"; MOST_LABELS];
                all[position] = &value;
                let started = Instant::now();
                record(metric, &all[..labels]);
                times.push(started.elapsed());
            }
        });
        (measured.bytes_current, times)
    };
    let (mut bytes, mut times) = (0, Vec::new());
    thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        for thread in threads {
            let (of_thread, timed) = thread.join().expect("no panic");
            bytes += of_thread;
            times.extend(timed);
        }
    });
    Flood {
        metric: declaration.name,
        label: declaration.labels[position].name,
        median: quantile(&times, 500),
        p999: quantile(&times, 999),
        longest: quantile(&times, 1000),
        bytes,
    }
}
