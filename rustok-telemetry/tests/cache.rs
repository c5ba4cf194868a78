//! What a cache of any kind records.

mod support;

use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use futures::FutureExt;
use rustok_telemetry::cache::CacheRecorder;
use support::{assert_samples, text, text_only};

const OPERATIONS: &str = "rustok_cache_operations_total";
const TIMED: &str = "rustok_cache_operation_duration_seconds_count";
const SIZE: &str = "rustok_cache_size";

#[tokio::test]
#[test_fork::fork]
async fn each_operation_has_one_result() {
    let telemetry = text_only().init().expect("telemetry starts");
    let recorder = CacheRecorder::new("prices");
    assert_eq!(recorder.get(|| Some(1)), Some(1));
    assert_eq!(recorder.get(|| None::<u8>), None);
    assert_eq!(recorder.get_async(async { Some(1) }).await, Some(1));
    assert_eq!(recorder.get_async(async { None::<u8> }).await, None);
    recorder.hit();
    recorder.miss();
    let look_up = recorder.get_async(pending::<Option<u8>>());
    assert!(look_up.now_or_never().is_none());
    drop(recorder.get_async(pending::<Option<u8>>()));
    let panics = AssertUnwindSafe(recorder.get_async(async { panic!("on purpose") }));
    assert!(panics.catch_unwind().await.map(|_: Option<u8>| ()).is_err());
    let panics = AssertUnwindSafe(|| recorder.get(|| -> Option<u8> { panic!("on purpose") }));
    assert!(catch_unwind(panics).is_err());

    assert_eq!(recorder.load(async { Ok::<_, u8>(1) }).await, Ok(1));
    assert_eq!(recorder.load(async { Err::<u8, _>(404) }).await, Err(404));
    let named = recorder.load_named(async { Err::<u8, _>(404) }, |_| "not_found");
    assert_eq!(named.await, Err(404));
    assert_eq!(recorder.run("insert", async { 7 }).await, 7);

    let text = text();
    assert_samples(
        &text,
        OPERATIONS,
        &[
            (
                r#"{cache="prices",operation="get",result="cancelled"}"#,
                "1",
            ),
            (r#"{cache="prices",operation="get",result="hit"}"#, "3"),
            (r#"{cache="prices",operation="get",result="miss"}"#, "3"),
            (r#"{cache="prices",operation="get",result="panic"}"#, "2"),
            (r#"{cache="prices",operation="insert",result="ok"}"#, "1"),
            (r#"{cache="prices",operation="load",result="error"}"#, "1"),
            (
                r#"{cache="prices",operation="load",result="not_found"}"#,
                "1",
            ),
            (r#"{cache="prices",operation="load",result="ok"}"#, "1"),
        ],
    );
    assert_samples(
        &text,
        TIMED,
        &[
            (r#"{cache="prices",operation="get"}"#, "7"),
            (r#"{cache="prices",operation="insert"}"#, "1"),
            (r#"{cache="prices",operation="load"}"#, "3"),
        ],
    );
    assert_samples(
        &text,
        "rustok_cache_hit_rate",
        &[(r#"{cache="prices"}"#, "0.5")],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn sizes_are_read_at_each_collection_and_summed() {
    let telemetry = text_only().init().expect("telemetry starts");
    let (prices, names) = (CacheRecorder::new("prices"), CacheRecorder::new("names"));
    let part = Arc::new(());
    let watched = Arc::downgrade(&part);
    let first = prices.observe_size(|| 3);
    prices
        .observe_size(move || watched.upgrade().map(|_| 4))
        .detach();
    names.observe_size(|| u64::MAX).detach();
    // The text has floating-point numbers.
    let largest = "9223372036854776000";
    let names = (r#"{cache="names"}"#, largest);
    assert_samples(&text(), SIZE, &[names, (r#"{cache="prices"}"#, "7")]);
    drop(part);
    assert_samples(&text(), SIZE, &[names, (r#"{cache="prices"}"#, "3")]);
    drop(first);
    for _ in 0..2 {
        assert_samples(&text(), SIZE, &[names, (r#"{cache="prices"}"#, "0")]);
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_lookup_does_not_allocate_at_steady_state() {
    let telemetry = text_only().init().expect("telemetry starts");
    let recorder = CacheRecorder::new("prices");
    let look_up = || {
        assert!(recorder.get(|| Some(1)).is_some());
        let look_up = recorder.get_async(async { None::<u8> });
        assert_eq!(look_up.now_or_never(), Some(None));
        recorder.evicted("ttl");
    };
    look_up();
    let info = allocation_counter::measure(|| (0..100).for_each(|_| look_up()));
    assert_eq!(info.count_total, 0, "{info:?}");
    let _ = telemetry.shutdown();
}
