//! Lag and depth.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use rustok_telemetry::{
    event_bus::{EventMetadata, observe_queue, publish},
    propagation::EventContext,
};
use tokio::sync::mpsc;

use crate::support::{assert_samples, samples, text, text_only};

const DEPTH: &str = "rustok_event_bus_queue_depth";

#[test_fork::test]
fn the_lag_is_never_negative() {
    let telemetry = text_only().init().expect("telemetry starts");
    let published = |at| EventMetadata::from_parts("Created", at, EventContext::default());
    let now = SystemTime::now();
    let lag = published(now - Duration::from_secs(40)).received();
    assert!((40..100).contains(&lag.as_secs()), "{lag:?}");
    let ahead = published(now + Duration::from_secs(3600)).received();
    assert_eq!(ahead, Duration::ZERO);
    let text = text();
    let labels = r#"{event_type="Created"}"#;
    assert_samples(
        &text,
        "rustok_event_bus_lag_seconds_count",
        &[(labels, "2")],
    );
    let buckets = samples(&text, "rustok_event_bus_lag_seconds_bucket");
    assert_eq!(buckets[r#"{event_type="Created",le="0.001"}"#], "1");
    assert_eq!(buckets[r#"{event_type="Created",le="30"}"#], "1");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_depth_is_read_at_each_collection() {
    let telemetry = text_only().init().expect("telemetry starts");
    let queue = Arc::new(Mutex::new(Vec::new()));
    let read = Arc::clone(&queue);
    let observed = observe_queue("in_memory", move || read.lock().expect("a queue").len());
    assert_samples(&text(), DEPTH, &[(r#"{transport="in_memory"}"#, "0")]);
    for _ in 0..3 {
        let sent = publish("Created", |metadata| {
            queue.lock().expect("a queue").push(metadata);
            Ok::<_, Infallible>(())
        });
        assert_eq!(sent, Ok(()));
    }
    assert_samples(&text(), DEPTH, &[(r#"{transport="in_memory"}"#, "3")]);
    queue.lock().expect("a queue").clear();
    assert_samples(&text(), DEPTH, &[(r#"{transport="in_memory"}"#, "0")]);
    drop(observed);
    assert_eq!(Arc::strong_count(&queue), 1);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn failed_sends_have_a_reason() {
    let telemetry = text_only().init().expect("telemetry starts");
    let (queue, events) = mpsc::channel(1);
    let send = || publish("Created", |metadata| queue.try_send(metadata));
    assert!(send().is_ok());
    assert!(send().is_err());
    drop(events);
    assert!(send().is_err());
    let text = text();
    assert_samples(
        &text,
        "rustok_event_bus_published_total",
        &[(r#"{event_type="Created",tenant_id="none"}"#, "1")],
    );
    assert_samples(
        &text,
        "rustok_event_bus_errors_total",
        &[
            (r#"{error_type="queue_closed",event_type="Created"}"#, "1"),
            (r#"{error_type="queue_full",event_type="Created"}"#, "1"),
        ],
    );
    let _ = telemetry.shutdown();
}
