//! Start and end: errors are clear, a dead backend does no harm, and what is lost is told.

mod support;

use std::{
    hint,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustok_telemetry::{
    InitError, Telemetry, config::TelemetryConfig, health::SignalHealth, metrics,
};
use support::{samples, text, text_only};
use tracing::{Span, info_span};

/// Telemetry that pushes to an address at which nothing answers.
fn start_unreachable(protocol: &str) -> Telemetry {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("an address");
    drop(free);
    start_at(&address.to_string(), protocol)
}

fn start_at(address: &str, protocol: &str) -> Telemetry {
    let endpoint = format!("http://{address}");
    let config = TelemetryConfig::from_vars([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
    ])
    .expect("a valid configuration");
    rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts")
}

fn record() {
    metrics::record_event_published("ProductCreated", "acme");
    for _ in 0..10 {
        drop(tracing::info_span!("work"));
    }
}

fn assert_unreachable(telemetry: Telemetry) {
    record();
    let started = Instant::now();
    let report = telemetry.shutdown_within(Duration::from_secs(8));
    assert!(
        started.elapsed() < Duration::from_secs(9),
        "{:?}",
        started.elapsed()
    );
    assert!(!report.is_complete());
    assert_eq!(report.lost_spans + report.unsent_spans, 10, "{report}");
    assert!(report.metrics_error.is_some(), "{report}");
    assert!(
        report.to_string().contains("not everything was sent"),
        "{report}"
    );
}

#[test_fork::test]
fn unreachable_over_http_without_a_runtime() {
    assert_unreachable(start_unreachable("http/protobuf"));
}

#[test_fork::test]
fn unreachable_over_grpc_without_a_runtime() {
    assert_unreachable(start_unreachable("grpc"));
}

#[tokio::test(flavor = "current_thread")]
#[test_fork::fork]
async fn unreachable_over_grpc_in_a_current_thread_runtime() {
    assert_unreachable(start_unreachable("grpc"));
}

#[tokio::test(flavor = "multi_thread")]
#[test_fork::fork]
async fn unreachable_over_http_in_a_multi_thread_runtime() {
    assert_unreachable(start_unreachable("http/protobuf"));
}

#[test_fork::test]
fn a_silent_backend_does_not_hang_shutdown_over_http() {
    assert_unanswered("http/protobuf");
}

#[test_fork::test]
fn a_silent_backend_does_not_hang_shutdown_over_grpc() {
    assert_unanswered("grpc");
}

/// What the end of the shutdown cuts off is not sent, and says nothing about the backend.
fn assert_unanswered(protocol: &str) {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("an address").to_string();
    let telemetry = start_at(&address, protocol);
    record();
    let started = Instant::now();
    let report = telemetry.shutdown_within(Duration::from_secs(1));
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert!(report.timed_out, "{report}");
    assert_eq!(report.unsent_spans, 10, "{report}");
    assert_eq!(report.traces_error, None);
    assert_eq!(report.metrics_error, None);
    let of_traces = || {
        let mut signals = rustok_telemetry::health().signals.into_iter();
        signals.find(|signal| signal.name == "traces")
    };
    let cut_off = |signal: &SignalHealth| signal.failures > 0;
    while !of_traces().as_ref().is_some_and(cut_off) {
        assert!(started.elapsed() < Duration::from_secs(10), "{report}");
        thread::sleep(Duration::from_millis(10));
    }
    let traces = of_traces().expect("traces");
    assert_eq!((traces.failing, traces.last_failure), (false, None));
    drop(TcpStream::connect(address));
}

#[test_fork::test]
fn a_full_queue_drops_spans_and_counts_them() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let config = TelemetryConfig::from_vars([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ])
    .expect("a valid configuration");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");
    for _ in 0..1_000 {
        drop(tracing::info_span!("work"));
    }
    let text = text();
    let queued: u64 = samples(&text, "rustok_telemetry_span_queue_length")[""]
        .parse()
        .expect("a number");
    assert!(queued <= 64, "{queued}");
    assert_eq!(
        samples(&text, "rustok_telemetry_span_queue_capacity")[""],
        "64"
    );
    let lost = samples(&text, "rustok_telemetry_spans_lost_total");
    let lost: u64 = lost["{reason=\"queue_full\"}"].parse().expect("a number");
    // Nothing is answered, so at most a full queue and one batch are not lost yet. An eighth is for errors and slow spans.
    assert!((1_000 - 64 - 64..=1_000 - 56).contains(&lost), "{lost}");
    let report = telemetry.shutdown_within(Duration::from_secs(1));
    assert_eq!(report.lost_spans + report.unsent_spans, 1_000, "{report}");
}

#[test_fork::test]
fn spans_that_have_not_ended_are_reported() {
    let telemetry = text_only_with_traces();
    let open = tracing::info_span!("open");
    open.in_scope(|| {});
    let report = telemetry.shutdown_within(Duration::from_secs(1));
    assert_eq!(report.open_spans, 1, "{report}");
    assert!(
        report.to_string().contains("1 span had not ended"),
        "{report}"
    );
    drop(open);
}

/// Two threads drop the two handles of each child in the same moment.
#[test_fork::test]
fn every_created_span_ends_whichever_threads_drop_its_child() {
    const PAIRS: usize = 2;
    const FAMILIES: usize = 20_000;
    let telemetry = text_only_with_traces();
    thread::scope(|scope| {
        for _ in 0..PAIRS {
            let children: Vec<_> = (0..FAMILIES).map(|_| family()).collect();
            let arrived = Arc::new(AtomicUsize::new(0));
            for children in [children.clone(), children] {
                let arrived = Arc::clone(&arrived);
                scope.spawn(move || {
                    for (before, child) in children.into_iter().enumerate() {
                        arrived.fetch_add(1, Ordering::AcqRel);
                        // Only as long as the other thread runs.
                        let mut looks = 0;
                        while arrived.load(Ordering::Acquire) < 2 * (before + 1) && looks < 2_000 {
                            looks += 1;
                            hint::spin_loop();
                        }
                        drop(child);
                    }
                });
            }
        }
    });
    let all = (PAIRS * FAMILIES).to_string();
    let text = text();
    for operation in ["grandparent", "parent", "child"] {
        let label = format!("operation=\"{operation}\"");
        let created = samples(&text, "rustok_spans_created_total");
        assert_eq!(created[&format!("{{{label},tenant_id=\"none\"}}")], all);
        let ended = samples(&text, "rustok_span_duration_seconds_count");
        assert_eq!(ended[&format!("{{{label}}}")], all, "{operation}");
    }
    let report = telemetry.shutdown_within(Duration::from_secs(1));
    assert_eq!(report.open_spans, 0, "{report}");
}

fn family() -> Span {
    let grandparent = info_span!("grandparent");
    let parent = info_span!(parent: &grandparent, "parent");
    info_span!(parent: &parent, "child")
}

/// Traces go to something that never answers; metrics are not pushed.
fn text_only_with_traces() -> Telemetry {
    let config = TelemetryConfig::from_vars([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ])
    .expect("a valid configuration");
    rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts")
}

#[test_fork::test]
fn the_text_is_never_empty_while_telemetry_shuts_down() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("an address").to_string();
    let telemetry = start_at(&address, "http/protobuf");
    record();
    let stopping = std::thread::spawn(move || telemetry.shutdown_within(Duration::from_secs(2)));
    while !stopping.is_finished() {
        if let Ok(text) = rustok_telemetry::prometheus_text() {
            assert!(!text.body.is_empty(), "an empty success");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(stopping.join().expect("no panic").timed_out);
}

#[test_fork::test]
fn an_existing_log_logger_does_not_fail_init() {
    struct Silent;
    impl log::Log for Silent {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    log::set_boxed_logger(Box::new(Silent)).expect("the first logger");
    let telemetry = text_only().init().expect("telemetry starts");
    drop(tracing::info_span!("counted"));
    assert_eq!(samples(&text(), "rustok_spans_created_total").len(), 1);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_second_init_fails_and_the_first_continues() {
    let telemetry = text_only().init().expect("telemetry starts");
    let error = text_only().init().expect_err("the second fails");
    assert!(matches!(error, InitError::AlreadyInitialized));
    assert!(
        error
            .to_string()
            .contains("call rustok_telemetry::init() once"),
        "{error}"
    );
    metrics::record_event_published("ProductCreated", "acme");
    assert_eq!(
        samples(&text(), "rustok_event_bus_published_total").len(),
        1
    );
    let _ = telemetry.shutdown();
    assert!(matches!(
        text_only().init(),
        Err(InitError::AlreadyInitialized)
    ));
}

#[test_fork::test]
fn an_existing_subscriber_is_an_error_unless_allowed() {
    use tracing_subscriber::layer::SubscriberExt;

    tracing::subscriber::set_global_default(tracing_subscriber::registry())
        .expect("the first subscriber");
    let error = text_only().init().expect_err("there is one already");
    assert!(matches!(error, InitError::SubscriberAlreadySet), "{error}");
    // A failed start leaves nothing behind: without its own subscriber telemetry starts.
    let telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || drop(tracing::info_span!("own")));
    let created = samples(&text(), "rustok_spans_created_total");
    assert_eq!(created["{operation=\"own\",tenant_id=\"none\"}"], "1");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn disabled_telemetry_records_nothing() {
    let config =
        TelemetryConfig::from_vars([("OTEL_SDK_DISABLED", "true")]).expect("a valid configuration");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");
    record();
    assert_eq!(
        rustok_telemetry::prometheus_text(),
        Err(rustok_telemetry::TextError::Disabled)
    );
    assert!(telemetry.shutdown().is_complete());
}

#[test_fork::test]
fn dropping_the_guard_shuts_down() {
    drop(text_only().init().expect("telemetry starts"));
    assert_eq!(
        rustok_telemetry::prometheus_text(),
        Err(rustok_telemetry::TextError::ShutDown)
    );
}
