//! Metrics of tokio runtimes, read at each collection.

mod support;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use rustok_telemetry::runtime;
use support::{samples, text, text_only};
use tokio::runtime::{Builder, Runtime};

const BACKGROUND: &str = r#"{runtime="background"}"#;

fn workers(threads: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(threads).enable_time();
    builder.build().expect("a runtime")
}

#[track_caller]
fn sample(name: &str) -> f64 {
    let value = &samples(&text(), &format!("rustok_tokio_{name}"))[BACKGROUND];
    value.parse().expect("a number")
}

/// Waits until the condition holds.
#[track_caller]
fn eventually(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "not in time: {}", text());
        sleep(Duration::from_millis(5));
    }
}

#[test_fork::test]
fn a_runtime_is_observed_until_its_guard_is_dropped() {
    let tokio = workers(2);
    // Works before `init`.
    let observed = runtime::observe_tokio("background", tokio.handle());
    let telemetry = text_only().init().expect("telemetry starts");
    assert_eq!(sample("workers"), 2.0);
    assert_eq!(sample("alive_tasks"), 0.0);
    assert_eq!(sample("global_queue_depth"), 0.0);

    let tasks: Vec<_> = (0..3)
        .map(|_| tokio.spawn(std::future::pending::<()>()))
        .collect();
    assert_eq!(sample("alive_tasks"), 3.0);
    let parks = sample("parks_total");
    let busy = sample("busy_seconds_total");
    tokio.block_on(async {
        let works = tokio::spawn(async { sleep(Duration::from_millis(50)) });
        works.await.expect("it ends");
    });
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    eventually(|| sample("alive_tasks") == 0.0);
    eventually(|| sample("parks_total") > parks);
    eventually(|| sample("busy_seconds_total") >= busy + 0.05);
    drop(observed);
    assert!(!text().contains("rustok_tokio_workers{"));
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn tasks_wait_in_the_queue_while_all_workers_are_busy() {
    let telemetry = text_only().init().expect("telemetry starts");
    let tokio = workers(1);
    let _observed = runtime::observe_tokio("background", tokio.handle());
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begin, began) = std::sync::mpsc::channel();
    tokio.spawn(async move {
        begin.send(()).expect("the test waits");
        let _ = held.recv();
    });
    began.recv().expect("the only worker is busy");
    for _ in 0..5 {
        tokio.spawn(async {});
    }
    assert_eq!(sample("global_queue_depth"), 5.0);
    drop(release);
    eventually(|| sample("global_queue_depth") == 0.0);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_runtime_replaces_an_earlier_one_with_the_same_name() {
    let telemetry = text_only().init().expect("telemetry starts");
    let (first, second) = (workers(1), workers(3));
    let first = runtime::observe_tokio("background", first.handle());
    runtime::observe_tokio("background", second.handle()).detach();
    assert_eq!(sample("workers"), 3.0);
    drop(first);
    assert_eq!(sample("workers"), 3.0);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_seventh_runtime_is_dropped_and_counted() {
    let telemetry = text_only().init().expect("telemetry starts");
    let tokio = workers(1);
    for name in 'a'..='h' {
        runtime::observe_tokio(name, tokio.handle()).detach();
    }
    // As documented at `observe_tokio` and in docs/runtime.md.
    assert_eq!(samples(&text(), "rustok_tokio_workers").len(), 6);
    let dropped = samples(&text(), "rustok_telemetry_observations_dropped_total");
    assert_ne!(dropped[r#"{metric="rustok_tokio_workers"}"#], "0");
    let _ = telemetry.shutdown();
}
