//! The layer for lines in a subscriber that the service puts together itself.

use std::io::Write;

use rustok_telemetry::{LogFormat, Telemetry};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

use crate::{assert_ids, json, lines, support::text_only, traceparent};

#[test]
fn a_custom_subscriber_writes_the_same_lines() {
    let test = "own_subscriber::a_custom_subscriber_writes_the_same_lines";
    let Some(lines) = lines(test, "warn", || {
        let telemetry = without_subscriber();
        let lines = telemetry
            .log_layer(LogFormat::Json)
            .expect("a right RUST_LOG");
        let subscriber = tracing_subscriber::registry()
            .with(lines)
            .with(telemetry.log_export_layer().expect("a right RUST_LOG"))
            .with(telemetry.layer());
        warn_within_a_request(subscriber);
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = json(&lines[0]);
    assert_ids(&line);
    assert_eq!(line["tenant_id"], "acme");
}

/// An optional layer is not told which subscriber it is in; then the spans tell that it sees.
#[test]
fn an_optional_layer_has_the_tenant_of_visible_spans() {
    let test = "own_subscriber::an_optional_layer_has_the_tenant_of_visible_spans";
    let Some(lines) = lines(test, "info", || {
        let telemetry = without_subscriber();
        let lines = telemetry
            .log_layer(LogFormat::Json)
            .expect("a right RUST_LOG");
        let subscriber = tracing_subscriber::registry()
            .with(Some(lines))
            .with(telemetry.layer());
        warn_within_a_request(subscriber);
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    let line = json(&lines[0]);
    assert_ids(&line);
    assert_eq!(line["tenant_id"], "acme");
}

#[test]
fn an_invalid_rust_log_is_an_error_of_each_layer() {
    let Some(lines) = lines(
        "own_subscriber::an_invalid_rust_log_is_an_error_of_each_layer",
        "shop=loud",
        || {
            let error = text_only().init().expect_err("a wrong RUST_LOG");
            let telemetry = without_subscriber();
            let lines = telemetry.log_layer::<tracing_subscriber::Registry>(LogFormat::Json);
            assert_eq!(
                lines.err().map(|error| error.to_string()),
                Some(error.to_string())
            );
            writeln!(std::io::stderr(), "{error}").expect("written");
        },
    ) else {
        return;
    };
    assert!(lines[0].starts_with("RUST_LOG=shop=loud: "), "{lines:?}");
}

fn without_subscriber() -> Telemetry {
    let telemetry = text_only().without_subscriber();
    telemetry.init().expect("telemetry starts")
}

/// With the subscriber for this thread only: then the dispatcher cannot be asked while an event is dispatched.
fn warn_within_a_request(subscriber: impl Into<Dispatch>) {
    tracing::dispatcher::with_default(&subscriber.into(), || {
        let _request = tracing::info_span!("request", tenant_id = "acme").entered();
        tracing::warn!(traceparent = traceparent(), "seen");
    });
}
