//! A real cache of moka: hits and misses, loads that callers share, evictions, size.
#![cfg(feature = "moka")]

mod support;

use std::{future::pending, sync::Arc, time::Duration};

use futures::future::join_all;
use moka::future::Cache;
use rustok_telemetry::cache::{CacheRecorder, Metered, count_evictions};
use support::{assert_samples, samples, text, text_only};
use tokio::{sync::Notify, time::sleep};

const OPERATIONS: &str = "rustok_cache_operations_total";
const TIMED: &str = "rustok_cache_operation_duration_seconds_count";
const EVICTIONS: &str = "rustok_cache_evictions_total";
const SIZE: &str = "rustok_cache_size";

fn names() -> Metered<String, u64> {
    Metered::build("names", Cache::builder().max_capacity(100))
}

/// Operations with their counts, `get hit 1`.
fn operations() -> Vec<String> {
    let label = |labels: &str, name: &str| {
        let (_, rest) = labels.split_once(&format!("{name}=\"")).expect("the label");
        rest.split_once('"').expect("its end").0.to_owned()
    };
    let found = samples(&text(), OPERATIONS);
    let of = |(labels, count): (&String, &String)| {
        let (operation, result) = (label(labels, "operation"), label(labels, "result"));
        format!("{operation} {result} {count}")
    };
    found.iter().map(of).collect()
}

#[tokio::test]
#[test_fork::fork]
async fn what_a_cache_does_is_counted_once() {
    let telemetry = text_only().init().expect("telemetry starts");
    let names = names();
    assert_eq!(names.get("tea").await, None);
    assert_eq!(names.get_with("tea", async { 1 }).await, 1);
    assert_eq!(names.get_with("tea", async { 2 }).await, 1);
    assert_eq!(names.get("tea").await, Some(1));
    names.insert("cup".to_owned(), 3).await;
    names.invalidate("cup").await;
    let found = names.try_get_with("pot", async { Ok::<_, u8>(4) }).await;
    assert_eq!(found, Ok(4));
    let failed = names.try_get_with("jug", async { Err::<u64, _>(7) }).await;
    assert_eq!(failed, Err(Arc::new(7)));
    let unknown = names.try_get_with_named("jug", async { Err::<u64, _>(404) }, |_| "not_found");
    assert_eq!(unknown.await, Err(Arc::new(404)));
    assert_eq!(
        operations(),
        [
            "get hit 2",
            "get miss 5",
            "insert ok 1",
            "invalidate ok 1",
            "load error 1",
            "load not_found 1",
            "load ok 2",
        ]
    );
    assert_eq!(
        samples(&text(), TIMED)[r#"{cache="names",operation="load"}"#],
        "4"
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn callers_that_miss_together_share_one_load() {
    let telemetry = text_only().init().expect("telemetry starts");
    let names = names();
    let callers = (0..10).map(|_| {
        names.get_with("tea", async {
            sleep(Duration::from_millis(20)).await;
            1
        })
    });
    assert_eq!(join_all(callers).await, [1; 10]);
    assert_eq!(operations(), ["get miss 10", "load ok 1"]);

    let callers = (0..10).map(|_| {
        names.try_get_with("jug", async {
            sleep(Duration::from_millis(20)).await;
            Err::<u64, _>("gone")
        })
    });
    let results = join_all(callers).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(operations(), ["get miss 20", "load error 1", "load ok 1"]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn the_next_loader_runs_after_a_dropped_one() {
    let telemetry = text_only().init().expect("telemetry starts");
    let names = names();
    let begun = Arc::new(Notify::new());
    let first = tokio::spawn({
        let (names, begun) = (names.clone(), Arc::clone(&begun));
        async move {
            let load = async {
                begun.notify_one();
                pending().await
            };
            names.get_with("tea", load).await
        }
    });
    begun.notified().await;
    let second = tokio::spawn({
        let names = names.clone();
        async move { names.get_with("tea", async { 2 }).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(operations(), ["get miss 2"]);
    first.abort();
    assert!(first.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(second.await.expect("no panic"), 2);
    assert_eq!(
        operations(),
        ["get miss 2", "load cancelled 1", "load ok 1"]
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn the_next_loader_runs_after_a_panic() {
    let telemetry = text_only().init().expect("telemetry starts");
    let names = names();
    let panics = tokio::spawn({
        let names = names.clone();
        async move { names.get_with("tea", async { panic!("on purpose") }).await }
    });
    assert!(panics.await.is_err_and(|error| error.is_panic()));
    assert_eq!(names.get_with("tea", async { 2 }).await, 2);
    assert_eq!(operations(), ["get miss 2", "load ok 1", "load panic 1"]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn evictions_have_their_reasons() {
    let telemetry = text_only().init().expect("telemetry starts");
    let builder = Cache::builder()
        .max_capacity(2)
        .time_to_live(Duration::from_millis(50));
    let names: Metered<u8, u64> = Metered::build("names", builder);
    names.insert(1, 1).await;
    names.insert(1, 2).await;
    names.invalidate(&1).await;
    for key in 2..5 {
        names.insert(key, 1).await;
    }
    names.inner().run_pending_tasks().await;
    sleep(Duration::from_millis(100)).await;
    names.inner().run_pending_tasks().await;
    assert_samples(
        &text(),
        EVICTIONS,
        &[
            (r#"{cache="names",reason="explicit"}"#, "1"),
            (r#"{cache="names",reason="replaced"}"#, "1"),
            (r#"{cache="names",reason="size"}"#, "1"),
            (r#"{cache="names",reason="ttl"}"#, "2"),
        ],
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn the_size_is_read_as_long_as_there_is_a_cache() {
    let telemetry = text_only().init().expect("telemetry starts");
    let recorder = CacheRecorder::new("names");
    let builder = count_evictions(Cache::builder(), &recorder);
    let value = Arc::new(1);
    let hasher = std::hash::RandomState::new();
    let names = Metered::new(recorder, builder.build_with_hasher(hasher));
    assert_samples(&text(), SIZE, &[(r#"{cache="names"}"#, "0")]);
    names.insert(1, Arc::clone(&value)).await;
    names.inner().run_pending_tasks().await;
    let clone = names.clone();
    drop(names);
    assert_samples(&text(), SIZE, &[(r#"{cache="names"}"#, "1")]);
    drop(clone);
    assert_samples(&text(), SIZE, &[(r#"{cache="names"}"#, "0")]);
    assert_eq!(Arc::strong_count(&value), 1, "nothing keeps the entries");
    let _ = telemetry.shutdown();
}
