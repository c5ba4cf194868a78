//! A component of the service that panics on a thread of telemetry.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use prometheus::{
    IntCounter, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use rustok_telemetry::{Builder, Telemetry, console::Console, health, metrics};
use tonic::Code;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context as LayerContext, SubscriberExt},
};

use crate::{
    exporting,
    receiver::{Behaviour, Receiver, refusal},
    support::{samples, text, text_only},
    wait_until,
};

/// A layer that panics at the first event with a part of its message, and keeps all messages.
#[derive(Clone)]
struct Careless(Arc<Inner>);

struct Inner {
    panics_at: &'static str,
    armed: AtomicBool,
    messages: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Careless {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        let panics = message.0.contains(self.0.panics_at);
        self.0.messages.lock().expect("no panic").push(message.0);
        if panics && self.0.armed.swap(false, Ordering::Relaxed) {
            panic!("careless");
        }
    }
}

impl Careless {
    /// Starts telemetry with this layer beside its own.
    fn start(panics_at: &'static str, builder: Builder) -> (Telemetry, Self) {
        let careless = Self(Arc::new(Inner {
            panics_at,
            armed: AtomicBool::new(true),
            messages: Mutex::default(),
        }));
        let telemetry = builder
            .without_subscriber()
            .init()
            .expect("telemetry starts");
        let subscriber = tracing_subscriber::registry()
            .with(telemetry.layer())
            .with(careless.clone());
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
        (telemetry, careless)
    }

    fn reports(&self) -> Vec<String> {
        let mut messages = self.0.messages.lock().expect("no panic").clone();
        messages.retain(|message| message.contains("panicked"));
        messages
    }
}

/// Panics on a thread, as the health and the text have them.
#[track_caller]
fn panics(thread: &str) -> u64 {
    let health = health();
    let mut all = health.thread_panics.iter();
    let count = all.find(|(name, _)| *name == thread).expect("a thread").1;
    assert_eq!(health.to_json()["thread_panics"][thread], count);
    count
}

#[track_caller]
fn assert_in_text(thread: &str, count: &str) {
    let samples = samples(&text(), "rustok_telemetry_thread_panics_total");
    assert_eq!(samples[&format!("{{thread=\"{thread}\"}}")], count);
}

fn work(spans: usize, name: &str) {
    (0..spans).for_each(|_| drop(tracing::info_span!("work", name)));
}

#[test_fork::test]
fn a_panic_of_the_span_exporter_drops_its_batch_alone() {
    let unavailable = Some(refusal(false, Code::Unavailable, 503));
    let receiver = Receiver::with(Behaviour {
        // The first attempt and the retries of the export.
        refusals: vec![unavailable; 4],
        ..Behaviour::default()
    });
    let builder = exporting(&receiver, &[("OTEL_TRACES_EXPORTER", "otlp")]);
    let (telemetry, careless) = Careless::start("exporting traces", builder);
    work(10, "first");
    let thread = "telemetry-traces";
    wait_until("a panic", || panics(thread) == 1);
    work(5, "second");
    let report = telemetry.force_flush(Duration::from_secs(20));
    assert!(!report.timed_out && report.unsent_spans == 0, "{report}");
    let queue = health().signals[0].queue.clone().expect("a queue");
    let lost: u64 = queue.lost.iter().map(|(_, spans)| spans).sum();
    assert_eq!((queue.exported, lost), (5, 10), "{queue:?}");
    assert_eq!((queue.length, queue.exporting), (0, 0));
    assert_eq!(queue.lost[0], ("export_failed", 10));
    let requests = receiver.requests();
    assert_eq!(requests.last().expect("a request").spans().len(), 5);
    assert_in_text(thread, "1");
    let reports = careless.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].contains("telemetry-traces panicked: careless"));
    let report = telemetry.shutdown();
    assert_eq!((report.unsent_spans, report.lost_spans), (0, 10));
}

#[test_fork::test]
fn a_flush_reports_a_panic_of_the_span_exporter() {
    let receiver = Receiver::with(Behaviour {
        refusals: vec![Some(refusal(false, Code::InvalidArgument, 400))],
        ..Behaviour::default()
    });
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ];
    let builder = exporting(&receiver, &variables);
    let (telemetry, _) = Careless::start("exporting traces", builder);
    work(10, "first");
    let report = telemetry.force_flush(Duration::from_secs(20));
    assert!(!report.timed_out && report.lost_spans == 10, "{report}");
    let error = report.traces_error.as_deref().unwrap_or_default();
    assert!(error.contains("400"), "{error}");
    assert_eq!(panics("telemetry-traces"), 1);
    work(10, "second");
    let report = telemetry.shutdown();
    assert!(!report.timed_out && report.unsent_spans == 0, "{report}");
    assert_eq!(report.lost_spans, 10, "{report}");
}

#[test_fork::test]
fn metrics_are_exported_after_a_panic_of_their_thread() {
    let receiver = Receiver::with(Behaviour {
        refusals: vec![Some(refusal(false, Code::InvalidArgument, 400))],
        ..Behaviour::default()
    });
    let variables = [
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
    ];
    let builder = exporting(&receiver, &variables);
    let (telemetry, careless) = Careless::start("exporting metrics", builder);
    receiver.wait_for(3);
    assert_eq!(panics("telemetry-metrics"), 1);
    assert_in_text("telemetry-metrics", "1");
    assert_eq!(careless.reports().len(), 1);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
}

/// Never returns.
struct Stuck(IntCounter);

impl Collector for Stuck {
    fn desc(&self) -> Vec<&Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let never = Mutex::new(());
        let waited = Condvar::new().wait_while(never.lock().expect("no panic"), |()| true);
        drop(waited);
        Vec::new()
    }
}

#[test_fork::test]
fn the_console_samples_after_a_panic_of_its_thread() {
    let registry = Registry::new();
    let stuck = Stuck(IntCounter::new("stuck_total", "Stuck.").expect("valid"));
    registry.register(Box::new(stuck)).expect("registered");
    let builder = text_only()
        .console(Console::new())
        .with_prometheus_registry(registry);
    let samples = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&samples);
    metrics::before_collection(move || {
        count.fetch_add(1, Ordering::Relaxed);
    })
    .detach();
    // The first collection reports that the registry hangs, in the middle of a sample.
    let (telemetry, _) = Careless::start("has not returned", builder);
    let thread = "telemetry-console";
    wait_until("a panic", || panics(thread) == 1);
    let before = samples.load(Ordering::Relaxed);
    wait_until("further samples", || {
        samples.load(Ordering::Relaxed) > before + 1
    });
    assert_eq!(panics(thread), 1);
    assert_in_text(thread, "1");
    let _ = telemetry.shutdown();
}

/// Panics where the SDK calls it on a thread of telemetry.
#[derive(Debug)]
struct CarelessProcessor;

impl SpanProcessor for CarelessProcessor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        panic!("careless flush")
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        panic!("careless shutdown")
    }
}

#[test_fork::test]
fn a_processor_that_panics_fails_its_flush_and_shutdown() {
    let receiver = Receiver::start();
    let telemetry = exporting(&receiver, &[("OTEL_TRACES_EXPORTER", "otlp")])
        .with_span_processor(CarelessProcessor)
        .init()
        .expect("telemetry starts");
    for flushes in 1..=2 {
        work(10, "flushed");
        let report = telemetry.force_flush(Duration::from_secs(20));
        let error = report.traces_error.as_deref().unwrap_or_default();
        assert!(error.contains("panicked: careless flush"), "{report}");
        assert!(!report.timed_out && report.unsent_spans == 0, "{report}");
        assert_eq!(panics("telemetry-flush"), flushes);
    }
    work(10, "last");
    let report = telemetry.shutdown();
    let error = report.traces_error.as_deref().unwrap_or_default();
    assert!(error.contains("panicked: careless shutdown"), "{report}");
    assert!(!report.timed_out && report.unsent_spans == 0, "{report}");
    assert_eq!(panics("telemetry-shutdown"), 1);
    assert_eq!(receiver.spans().len(), 30);
}
