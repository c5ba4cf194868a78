//! Connections of pools of any kind, read at each collection.

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rustok_telemetry::database::{self, PoolState};
use support::{assert_samples, quiet_panics, samples, text, text_only};

const CONNECTIONS: &str = "rustok_database_connections";

#[track_caller]
fn assert_connections(active: &str, idle: &str) {
    let expected = [(r#"{state="active"}"#, active), (r#"{state="idle"}"#, idle)];
    assert_samples(&text(), CONNECTIONS, &expected);
}

#[test_fork::test]
fn pools_are_read_at_each_collection_and_summed() {
    let active = Arc::new(AtomicU64::new(1));
    let read = Arc::clone(&active);
    // Before `init`, as a pool may be made.
    let first = database::observe_pool(move || PoolState {
        active: read.load(Ordering::Relaxed),
        idle: 4,
    });
    let telemetry = text_only().init().expect("telemetry starts");
    assert_connections("1", "4");
    let second = Arc::new(PoolState {
        active: 10,
        idle: 0,
    });
    let watched = Arc::downgrade(&second);
    database::observe_pool(move || watched.upgrade().map(|pool| *pool)).detach();
    assert_connections("11", "4");
    active.store(2, Ordering::Relaxed);
    assert_connections("12", "4");
    drop(second);
    assert_connections("2", "4");
    drop(first);
    assert_eq!(Arc::strong_count(&active), 1, "what it read from is let go");
    assert_connections("0", "0");
    assert_eq!(rustok_telemetry::lost_records().before_init, 0);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_pool_dropped_before_the_first_collection_is_zero() {
    let telemetry = text_only().init().expect("telemetry starts");
    database::observe_pool(|| None).detach();
    assert_connections("0", "0");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_panicking_pool_is_skipped() {
    quiet_panics();
    let telemetry = text_only().init().expect("telemetry starts");
    database::observe_pool(|| -> PoolState { panic!("on purpose") }).detach();
    database::observe_pool(|| PoolState { active: 1, idle: 2 }).detach();
    assert_connections("1", "2");
    assert_connections("1", "2");
    let panics = samples(&text(), "rustok_telemetry_observation_panics_total");
    assert_ne!(panics[""], "0");
    let _ = telemetry.shutdown();
}
