//! Timers of histograms: each records once, however it ends.

mod support;

use std::{
    panic::catch_unwind,
    sync::atomic::{AtomicU64, Ordering},
    thread::sleep,
    time::Duration,
};

use rustok_telemetry::{LabelValue, lost_records, metrics};
use support::{assert_samples, samples, text, text_only};

#[rustok_telemetry::metrics(namespace = "shop")]
mod shop {
    use rustok_telemetry::{LabelValue, metrics::FAST_SECONDS};

    /// Time that a checkout took.
    #[histogram(name = "checkout_duration_seconds", boundaries = FAST_SECONDS, also = super::count)]
    pub fn record_checkout_duration(payment: impl LabelValue, shop: &'static str, seconds: f64);

    /// Time that the shop was open.
    #[histogram(name = "open_seconds", boundaries = FAST_SECONDS)]
    pub fn open(seconds: f64);
}

/// Calls of the hook, and their seconds in microseconds.
static COUNTED: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

fn count(payment: &str, shop: &str, seconds: f64) {
    assert_eq!((payment, shop), ("card", "north"));
    COUNTED[0].fetch_add(1, Ordering::Relaxed);
    COUNTED[1].fetch_add((seconds * 1e6) as u64, Ordering::Relaxed);
}

#[derive(LabelValue)]
enum Payment {
    Card,
}

const COUNT: &str = "shop_checkout_duration_seconds_count";

#[test_fork::test]
fn a_timer_records_exactly_once() {
    let telemetry = text_only().init().expect("telemetry starts");
    let start = || shop::time_checkout_duration(&Payment::Card, "north");
    let assert_count = |count: &str| {
        let labels = r#"{payment="card",shop="north"}"#;
        assert_samples(&text(), COUNT, &[(labels, count)]);
        assert_eq!(COUNTED[0].load(Ordering::Relaxed).to_string(), count);
    };
    drop(start());
    assert_count("1");
    let timer = start();
    sleep(Duration::from_millis(20));
    let stopped = timer.stop();
    assert!(stopped >= Duration::from_millis(20), "{stopped:?}");
    assert_count("2");
    let sum = &samples(&text(), "shop_checkout_duration_seconds_sum");
    let sum: f64 = sum.values().next().expect("a sum").parse().expect("number");
    let counted = COUNTED[1].load(Ordering::Relaxed) as f64 / 1e6;
    assert!(sum >= stopped.as_secs_f64() && (sum - counted).abs() < 1e-5);

    start().discard();
    assert_count("2");
    let unwound = catch_unwind(|| {
        let _timer = start();
        panic!("on purpose");
    });
    assert!(unwound.is_err());
    assert_count("3");
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn dropping_a_future_records_its_timer() {
    let telemetry = text_only().init().expect("telemetry starts");
    let waits = async {
        let _timer = metrics::time_db_query_duration("select", "products");
        std::future::pending::<()>().await;
    };
    let waited = tokio::time::timeout(Duration::from_millis(1), waits).await;
    assert!(waited.is_err());
    let labels = r#"{query_type="select",table="products"}"#;
    let count = "rustok_database_query_duration_seconds_count";
    assert_samples(&text(), count, &[(labels, "1")]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn labels_are_borrowed() {
    let telemetry = text_only().init().expect("telemetry starts");
    {
        let event_type = String::from("ProductCreated");
        let _timer = metrics::time_event_lag(&event_type);
        let _plain = shop::time_open();
    }
    let text = text();
    let labels = r#"{event_type="ProductCreated"}"#;
    assert_samples(
        &text,
        "rustok_event_bus_lag_seconds_count",
        &[(labels, "1")],
    );
    assert_samples(&text, "shop_open_seconds_count", &[("", "1")]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_timer_before_init_is_dropped_and_counted() {
    let timer = shop::time_open();
    assert!(timer.stop() < Duration::from_secs(60));
    shop::time_open().discard();
    assert_eq!(lost_records().before_init, 1);
    // What it was before telemetry started does not matter at its end.
    let timer = shop::time_open();
    let telemetry = text_only().init().expect("telemetry starts");
    drop(timer);
    assert_samples(&text(), "shop_open_seconds_count", &[("", "1")]);
    let _ = telemetry.shutdown();
    drop(shop::time_open());
    assert_eq!(lost_records().after_shutdown, 1);
}

#[test]
fn the_catalogue_has_the_timer_functions() {
    let timer = |name| {
        let found = metrics::catalogue().into_iter().find(|m| m.name == name);
        found.expect("it is declared").timer
    };
    assert_eq!(
        timer("shop_checkout_duration_seconds"),
        Some("time_checkout_duration")
    );
    assert_eq!(timer("shop_open_seconds"), Some("time_open"));
    assert_eq!(timer("rustok_http_request_size_bytes"), None);
    assert_eq!(timer("rustok_event_bus_published_total"), None);
}
