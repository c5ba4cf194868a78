//! Callbacks of the service that hang or panic.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use opentelemetry::metrics::Meter;
use prometheus::{
    IntCounter, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use rustok_telemetry::{
    Telemetry,
    cache::CacheRecorder,
    database::{PoolState, observe_pool},
    health, metrics,
};

use crate::{
    exporting,
    receiver::Receiver,
    support::{assert_samples, quiet_panics, samples, text, text_only},
    wait_until,
};

/// Blocks callbacks while it is closed.
#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    const fn new() -> Self {
        Self {
            closed: Mutex::new(false),
            opened: Condvar::new(),
        }
    }

    fn close(&self) {
        *self.closed.lock().expect("no panic") = true;
    }

    fn open(&self) {
        *self.closed.lock().expect("no panic") = false;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let closed = self.closed.lock().expect("no panic");
        let waited = self.opened.wait_while(closed, |closed| *closed);
        drop(waited.expect("no panic"));
    }
}

/// Of the observable metric.
static GATE: Gate = Gate::new();
/// Of callbacks of other libraries.
static OTHER_GATE: Gate = Gate::new();

#[rustok_telemetry::metrics(namespace = "watched")]
mod watched {
    /// Passes the gate.
    #[observable_gauge(name = "gated", observe = super::gated)]
    fn gated() -> u64;

    /// Does not.
    #[observable_counter(name = "free_total", observe = super::free)]
    fn free() -> u64;
}

fn gated(report: &mut dyn FnMut([&str; 0], u64)) {
    GATE.pass();
    report([], 7);
}

fn free(report: &mut dyn FnMut([&str; 0], u64)) {
    report([], 8);
}

const DEPTH: &str = "rustok_event_bus_queue_depth";
const TIMEOUTS: &str = "rustok_telemetry_observation_timeouts_total";
const LIMIT: Duration = Duration::from_millis(500);
/// For a busy machine.
const SLACK: Duration = Duration::from_millis(1500);

/// A hook that sets the gauge to the number of its calls.
fn counting_hook() {
    let calls = AtomicU64::new(0);
    let count = move || calls.fetch_add(1, Ordering::Relaxed) as i64 + 1;
    metrics::before_collection(move || metrics::update_queue_depth("counted", count())).detach();
}

fn counted(text: &str) -> u64 {
    samples(text, DEPTH)[r#"{transport="counted"}"#]
        .parse()
        .expect("a number")
}

fn timed_text() -> (String, Duration) {
    let started = Instant::now();
    let text = text();
    (text, started.elapsed())
}

fn hanging() -> Vec<String> {
    let callbacks = health().hanging_callbacks.into_iter();
    callbacks.map(|hanging| hanging.callback).collect()
}

#[test_fork::test]
fn a_hanging_hook_stops_no_other() {
    let telemetry = text_only().init().expect("telemetry starts");
    let gate = Arc::new(Gate::default());
    let passed = Arc::clone(&gate);
    metrics::before_collection(move || {
        passed.pass();
        metrics::update_queue_depth("gated", 1);
    })
    .detach();
    let line = line!() - 5;
    counting_hook();
    assert_eq!(samples(&text(), DEPTH).len(), 2);
    assert_samples(&text(), TIMEOUTS, &[("", "0")]);

    gate.close();
    let (first, took) = timed_text();
    assert!(took >= LIMIT && took < LIMIT + SLACK, "{took:?}");
    assert_eq!(counted(&first), 3);
    // The limit applies to the collection in which a callback begins to hang.
    let quick = (4..9).map(|call| {
        let (text, took) = timed_text();
        assert_eq!(counted(&text), call);
        assert_eq!(samples(&text, DEPTH)[r#"{transport="gated"}"#], "1");
        took
    });
    let quickest = quick.min().expect("a time");
    assert!(quickest < LIMIT / 2, "{quickest:?}");
    assert_samples(&text(), TIMEOUTS, &[("", "7")]);
    let health = health();
    let [hangs] = &health.hanging_callbacks[..] else {
        panic!("{health:?}");
    };
    let name = format!("before_collection at rustok-telemetry/tests/isolation/callbacks.rs:{line}");
    assert!(hangs.callback.starts_with(&name), "{}", hangs.callback);
    assert!(hangs.running_for >= LIMIT, "{hangs:?}");
    let shown = &health.to_json()["hanging_callbacks"][0];
    assert_eq!(shown["callback"], hangs.callback.as_str());

    gate.open();
    wait_until("it returns", || hanging().is_empty());
    text();
    let before = text();
    assert_eq!(samples(&before, TIMEOUTS), samples(&text(), TIMEOUTS));
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn series_of_a_hanging_observable_are_absent() {
    let telemetry = text_only().init().expect("telemetry starts");
    assert_samples(&text(), "watched_gated", &[("", "7")]);
    GATE.close();
    for _ in 0..2 {
        let text = text();
        assert_samples(&text, "watched_gated", &[]);
        assert_samples(&text, "watched_free_total", &[("", "8")]);
        assert_eq!(hanging(), ["watched_gated"]);
    }
    GATE.open();
    wait_until("it returns", || hanging().is_empty());
    assert_samples(&text(), "watched_gated", &[("", "7")]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_hanging_pool_or_cache_keeps_its_values() {
    let telemetry = text_only().init().expect("telemetry starts");
    let sizes = CacheRecorder::new("prices");
    let pool = || PoolState { active: 2, idle: 3 };
    observe_pool(pool).detach();
    observe_pool(move || {
        GATE.pass();
        pool()
    })
    .detach();
    sizes.observe_size(|| 1).detach();
    sizes
        .observe_size(|| {
            GATE.pass();
            4
        })
        .detach();
    // One that has never returned.
    static NEVER: Gate = Gate::new();
    NEVER.close();
    CacheRecorder::new("stuck")
        .observe_size(|| {
            NEVER.pass();
            5
        })
        .detach();
    for closes in [true, false] {
        let text = text();
        let connections = [(r#"{state="active"}"#, "4"), (r#"{state="idle"}"#, "6")];
        assert_samples(&text, "rustok_database_connections", &connections);
        assert_samples(&text, "rustok_cache_size", &[(r#"{cache="prices"}"#, "5")]);
        if closes {
            GATE.close();
        }
    }
    let names = hanging();
    let [size, pool] = ["observe_size of prices at ", "observe_pool at "];
    for name in [size, pool] {
        assert!(names.iter().any(|it| it.starts_with(name)), "{names:?}");
    }
    GATE.open();
    NEVER.open();
    let _ = telemetry.shutdown();
}

struct Gated(IntCounter);

impl Collector for Gated {
    fn desc(&self) -> Vec<&Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        OTHER_GATE.pass();
        self.0.collect()
    }
}

#[test_fork::test]
fn a_hanging_collector_leaves_out_its_registry() {
    let (gated, free) = (Registry::new(), Registry::new());
    let counter = |name| IntCounter::new(name, "Counts.").expect("valid");
    let gate = Gated(counter("reg_gated_total"));
    gated.register(Box::new(gate)).expect("registered");
    let other = Box::new(counter("reg_free_total"));
    free.register(other).expect("registered");
    let telemetry = text_only()
        .with_prometheus_registry(gated)
        .with_prometheus_registry(free)
        .init()
        .expect("telemetry starts");
    assert_samples(&text(), "reg_gated_total", &[("", "0")]);
    OTHER_GATE.close();
    for _ in 0..2 {
        let (text, took) = timed_text();
        assert!(took < LIMIT + SLACK, "{took:?}");
        assert_samples(&text, "reg_gated_total", &[]);
        assert_samples(&text, "reg_free_total", &[("", "0")]);
    }
    let names = hanging();
    let named = names[0].starts_with("with_prometheus_registry at ");
    assert!(named && names.len() == 1, "{names:?}");
    OTHER_GATE.open();
    wait_until("it returns", || hanging().is_empty());
    assert_samples(&text(), "reg_gated_total", &[("", "0")]);
    let _ = telemetry.shutdown();
}

#[expect(clippy::disallowed_methods, reason = "as another library has it")]
fn foreign_meter() -> Meter {
    opentelemetry::global::meter("foreign")
}

#[test_fork::test]
fn callbacks_of_other_meters_are_isolated() {
    quiet_panics();
    let telemetry = text_only().init().expect("telemetry starts");
    let meter = foreign_meter();
    let free = meter.u64_observable_gauge("free");
    free.with_callback(|it| it.observe(1, &[])).build();
    let careless = meter.i64_observable_up_down_counter("careless");
    careless.with_callback(|_| panic!("careless")).build();
    let gated = meter.f64_observable_counter("gated");
    let gated = gated.with_callback(|it| {
        OTHER_GATE.pass();
        it.observe(2.5, &[]);
    });
    gated.build();
    meter.u64_counter("plain").build().add(3, &[]);
    assert_samples(&text(), "gated", &[("", "2.5")]);
    OTHER_GATE.close();
    for _ in 0..2 {
        let text = text();
        assert_samples(&text, "free", &[("", "1")]);
        assert_samples(&text, "plain", &[("", "3")]);
        assert_samples(&text, "gated", &[]);
        assert_samples(&text, "careless", &[]);
        assert_eq!(hanging(), ["gated"]);
    }
    // The SDK is not in a collection, so an instrument can be created.
    meter.u64_counter("later").build().add(4, &[]);
    assert_samples(&text(), "later", &[("", "4")]);
    OTHER_GATE.open();
    let panics = samples(&text(), "rustok_telemetry_observation_panics_total");
    let panics: u64 = panics[""].parse().expect("a number");
    assert!(panics >= 4, "{panics}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn many_hanging_callbacks_delay_no_value() {
    let telemetry = text_only().init().expect("telemetry starts");
    GATE.close();
    let before = |_| metrics::before_collection(|| GATE.pass()).detach();
    (0..5).for_each(before);
    counting_hook();
    let (text, took) = timed_text();
    assert!(took < LIMIT + SLACK, "{took:?}");
    assert_eq!(counted(&text), 1);
    // The observable `gated` as well.
    assert_eq!(hanging().len(), 6);
    GATE.open();
    wait_until("they return", || hanging().is_empty());
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_callback_that_collects_is_ended_by_the_limit() {
    let telemetry = text_only().init().expect("telemetry starts");
    let collects = || drop(rustok_telemetry::prometheus_text());
    metrics::before_collection(collects).detach();
    counting_hook();
    let (text, took) = timed_text();
    assert!(took < LIMIT + SLACK, "{took:?}");
    assert!(counted(&text) >= 1);
    wait_until("it returns", || hanging().is_empty());
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn exports_continue_while_a_callback_hangs() {
    let receiver = Receiver::start();
    let telemetry = exporting(
        &receiver,
        &[
            ("OTEL_METRICS_EXPORTER", "otlp"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
        ],
    )
    .init()
    .expect("telemetry starts");
    GATE.close();
    let started = Instant::now();
    let exports = receiver.wait_for(6);
    assert!(started.elapsed() < 5 * LIMIT, "{:?}", started.elapsed());
    let names = |index: usize| -> Vec<String> {
        let metrics = exports[index].metrics().into_iter();
        metrics.map(|metric| metric.name).collect()
    };
    let last = names(5);
    assert!(!last.iter().any(|name| name == "watched_gated"), "{last:?}");
    for name in ["watched_free_total", TIMEOUTS] {
        assert!(last.iter().any(|it| it == name), "{last:?}");
    }
    assert_shutdown_ends(telemetry);
}

/// The last collection does not wait for the observable either.
fn assert_shutdown_ends(telemetry: Telemetry) {
    let started = Instant::now();
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    assert!(started.elapsed() < LIMIT + SLACK, "{report}");
}
