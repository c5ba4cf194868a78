//! Log records by OTLP: what they carry, and that none is lost silently.

mod accounting;
mod feedback;
mod receiver;
#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeSet, process::Command, time::Duration};

use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use receiver::Receiver;
use rustok_telemetry::{Builder, config::TelemetryConfig, propagation::inject_headers};
use support::with_variables;
use tracing_subscriber::layer::SubscriberExt;

/// A builder that sends log records, and nothing else, to `endpoint`.
fn sending_to(endpoint: &str, variables: &[(&str, &str)]) -> Builder {
    let mut all = vec![
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_BLRP_SCHEDULE_DELAY", "20"),
    ];
    all.extend_from_slice(variables);
    with_variables(&all)
}

/// Does `work` in a process of its own, in which `RUST_LOG` is this.
fn with_rust_log(test: &str, rust_log: &str, work: impl FnOnce()) {
    const AGAIN: &str = "LOG_RECORDS_AGAIN";
    if std::env::var_os(AGAIN).is_some() {
        return work();
    }
    let output = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", test, "--nocapture"])
        .env(AGAIN, "1")
        .env("RUST_LOG", rust_log)
        .output()
        .expect("the test runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains(" 1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Trace and span id of the current span, as a caller would be told them.
fn ids() -> (String, String) {
    let mut headers = http::HeaderMap::new();
    inject_headers(&mut headers);
    let context = headers["traceparent"].to_str().expect("text");
    let ids: Vec<_> = context.split('-').collect();
    (ids[1].to_owned(), ids[2].to_owned())
}

#[test_fork::test]
fn a_record_has_trace_span_and_tenant() {
    let receiver = Receiver::start(200, Duration::ZERO);
    let telemetry = sending_to(&receiver.endpoint, &[])
        .init()
        .expect("telemetry starts");
    let request = tracing::info_span!("request", tenant_id = "acme").entered();
    let (trace, span) = ids();
    tracing::warn!(sku = "lamp-1", left = 2, "low stock");
    drop(request);
    tracing::info!(name: "shop.opened", target: "shop", "open");
    let records = receiver.wait_for(2);
    assert!(telemetry.shutdown().is_complete());

    let [within, outside] = &records[..] else {
        panic!("{records:#?}");
    };
    assert_eq!(within.body(), "low stock");
    assert_eq!(within.trace_id(), trace);
    assert_eq!(within.span_id(), span);
    assert_eq!(within.attribute("tenant_id"), Some("acme"));
    assert_eq!(within.attribute("sku"), Some("lamp-1"));
    assert_eq!(within.of_resource("service.name"), Some("shop"));
    assert_eq!(within.scope, "log_records");
    let record = &within.record;
    assert_eq!(record.severity_number, i32::from(SeverityNumber::Warn));
    assert_eq!(record.severity_text, "WARN");
    assert_eq!(record.event_name, "", "a line of code is no name");
    assert_eq!(record.time_unix_nano, record.observed_time_unix_nano);
    assert_eq!(record.flags, 1, "sampled");

    assert_eq!(outside.scope, "shop");
    assert_eq!(outside.record.event_name, "shop.opened");
    assert_eq!(outside.trace_id(), "");
    assert_eq!(outside.attribute("tenant_id"), None);
}

#[test]
fn rust_log_selects_records_but_not_their_ids() {
    let test = "rust_log_selects_records_but_not_their_ids";
    with_rust_log(test, "warn", || {
        let receiver = Receiver::start(200, Duration::ZERO);
        let telemetry = sending_to(&receiver.endpoint, &[])
            .init()
            .expect("telemetry starts");
        let request = tracing::info_span!("request", tenant_id = "acme").entered();
        let (trace, _) = ids();
        tracing::info!("hidden");
        tracing::warn!("seen");
        drop(request);
        assert!(telemetry.shutdown().is_complete());
        let records = receiver.records();
        assert_eq!(records.len(), 1, "{records:#?}");
        assert_eq!(records[0].body(), "seen");
        assert_eq!(records[0].trace_id(), trace);
        assert_eq!(records[0].attribute("tenant_id"), Some("acme"));
    });
}

#[test_fork::test]
fn an_event_keeps_its_own_parent_and_tenant() {
    let receiver = Receiver::start(200, Duration::ZERO);
    let telemetry = sending_to(&receiver.endpoint, &[])
        .init()
        .expect("telemetry starts");
    let other = tracing::info_span!("other", tenant_id = "globex");
    let expected = other.in_scope(ids);
    let request = tracing::info_span!("request", tenant_id = "acme").entered();
    let (trace, _) = ids();
    tracing::info!(parent: &other, "of the other");
    tracing::info!(parent: None, "of none");
    tracing::info!(tenant_id = "initech", "tells itself");
    assert_eq!(ids().0, trace, "the current span is the same as before");
    drop(request);
    let _ = telemetry.shutdown();
    let records = receiver.records();
    let [of_other, of_none, tells] = &records[..] else {
        panic!("{records:#?}");
    };
    assert_eq!((of_other.trace_id(), of_other.span_id()), expected);
    assert_eq!(of_other.attribute("tenant_id"), Some("globex"));
    assert_eq!(of_none.trace_id(), "");
    assert_eq!(of_none.attribute("tenant_id"), None);
    assert_eq!(tells.trace_id(), trace);
    assert_eq!(tells.attribute("tenant_id"), Some("initech"));
}

#[test_fork::test]
fn nested_events_keep_their_tenants() {
    struct Noisy;
    impl std::fmt::Debug for Noisy {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::info!(parent: None, "within");
            f.write_str("noisy")
        }
    }
    let receiver = Receiver::start(200, Duration::ZERO);
    let telemetry = sending_to(&receiver.endpoint, &[])
        .init()
        .expect("telemetry starts");
    let request = tracing::info_span!("request", tenant_id = "acme").entered();
    tracing::info!(noisy = ?Noisy, "around");
    drop(request);
    let _ = telemetry.shutdown();
    let records = receiver.records();
    let tenants: BTreeSet<_> = records
        .iter()
        .map(|record| (record.body(), record.attribute("tenant_id")))
        .collect();
    assert_eq!(
        tenants,
        BTreeSet::from([("around", Some("acme")), ("within", None)])
    );
}

#[test_fork::test]
fn records_of_the_log_crate_keep_their_target() {
    let receiver = Receiver::start(200, Duration::ZERO);
    let telemetry = sending_to(&receiver.endpoint, &[])
        .init()
        .expect("telemetry starts");
    log::info!(target: "shop::stock", "counted");
    let _ = telemetry.shutdown();
    let records = receiver.records();
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!(records[0].scope, "shop::stock");
    assert_eq!(records[0].body(), "counted");
    assert_eq!(records[0].record.event_name, "");
}

#[test_fork::test]
fn a_custom_subscriber_exports_records() {
    let receiver = Receiver::start(200, Duration::ZERO);
    let telemetry = sending_to(&receiver.endpoint, &[])
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let subscriber = tracing_subscriber::registry()
        .with(telemetry.log_export_layer().expect("a right RUST_LOG"))
        .with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        let _request = tracing::info_span!("request", tenant_id = "acme").entered();
        tracing::info!("seen");
    });
    let text = support::text();
    assert!(!text.contains("otel_sdk"), "the SDK's own metrics: {text}");
    let _ = telemetry.shutdown();
    let records = receiver.records();
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!(records[0].attribute("tenant_id"), Some("acme"));
    assert_ne!(records[0].trace_id(), "");
}

#[test_fork::test]
fn without_an_exporter_nothing_is_sent() {
    let receiver = Receiver::start(200, Duration::ZERO);
    let config = TelemetryConfig::from_vars([
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint.as_str()),
    ])
    .expect("a valid configuration");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");
    tracing::warn!("seen on standard error only");
    let layer = telemetry.log_export_layer().expect("a right RUST_LOG");
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || tracing::warn!("seen nowhere"));
    assert!(telemetry.shutdown().is_complete());
    assert!(receiver.records().is_empty());
}
