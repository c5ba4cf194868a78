//! Ok, error, panic, cancelled: what a call counts, and what its span carries.

use std::{
    future::{Future, pending},
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Waker},
};

use futures::FutureExt;
use rustok_telemetry::instrument;

use crate::{
    Failure, Result,
    metric_names::{CANCELLED, CLOSED, CREATED, ERRORS, MODULE_ERRORS},
    spans::{watch, watch_counted},
    support::{assert_samples, samples, text, text_only},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Ok,
    Err,
    Panic,
    Dropped,
    NeverPolled,
}

#[instrument(
    name = "call",
    module = "catalog",
    severity = "warning",
    tenant_id = "acme"
)]
fn blocking(how: How, password: &str) -> Result<usize> {
    match how {
        How::Ok => Ok(password.len()),
        How::Err => Err(Failure::NotFound),
        _ => panic!("on purpose"),
    }
}

#[instrument(
    name = "call",
    module = "catalog",
    severity = "warning",
    tenant_id = "acme"
)]
async fn asynchronous(how: How, password: &str) -> Result<usize> {
    tokio::task::yield_now().await;
    match how {
        How::Ok => Ok(password.len()),
        How::Err => Err(Failure::NotFound),
        How::Panic => panic!("on purpose"),
        How::Dropped | How::NeverPolled => pending().await,
    }
}

fn run_blocking(how: How) {
    let _ = catch_unwind(|| blocking(how, "hunter2"));
}

fn run_asynchronous(how: How) {
    let mut future = Box::pin(asynchronous(how, "hunter2"));
    for _ in 0..if how == How::NeverPolled { 0 } else { 2 } {
        // The panic is caught outside of the poll, and the future dropped later, as runtimes do.
        let poll = || {
            future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        };
        let _ = catch_unwind(AssertUnwindSafe(poll));
    }
    drop(future);
}

/// How it ends, the labels of the module's error, the fields of the span.
type Case = (
    How,
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
);

#[test_fork::test]
fn each_call_has_one_outcome() {
    let telemetry = text_only().init().expect("telemetry starts");
    let runs: [(_, fn(_)); 2] = [("sync", run_blocking), ("async", run_asynchronous)];
    let not_found = r#"{error_type="not_found",module="catalog",severity="warning"}"#;
    let panicked = r#"{error_type="panic",module="catalog",severity="critical"}"#;
    let cases: [Case; 5] = [
        (How::Ok, None, &[]),
        (
            How::Err,
            Some(not_found),
            &[
                ("error.type", "not_found"),
                ("otel.status_code", "ERROR"),
                ("otel.status_description", "not_found"),
            ],
        ),
        (
            How::Panic,
            Some(panicked),
            &[
                ("error.type", "panic"),
                ("otel.status_code", "ERROR"),
                ("otel.status_description", "panic"),
            ],
        ),
        (How::Dropped, None, &[("rustok.outcome", "cancelled")]),
        (How::NeverPolled, None, &[]),
    ];
    let of = |text: &str, name: &str, labels: &str| -> u64 {
        samples(text, name)
            .get(labels)
            .map_or(0, |value| value.parse().expect("a number"))
    };
    for (kind, run) in runs {
        for (how, module_error, fields) in &cases {
            if kind == "sync" && matches!(how, How::Dropped | How::NeverPolled) {
                continue;
            }
            let case = format!("{kind} {how:?}");
            let started = *how != How::NeverPolled;
            let before = text();
            let seen = watch_counted(&telemetry);
            run(*how);
            let after = text();
            let rise =
                |name: &str, labels: &str| of(&after, name, labels) - of(&before, name, labels);
            let error_type = fields.iter().find(|(name, _)| *name == "error.type");
            assert_eq!(
                rise(CREATED, r#"{operation="call",tenant_id="acme"}"#),
                started as u64,
                "{case}"
            );
            assert_eq!(
                rise(CLOSED, r#"{operation="call"}"#),
                started as u64,
                "{case}"
            );
            for name in ["not_found", "panic", "error"] {
                let labels = format!(r#"{{error_type="{name}",operation="call"}}"#);
                let expected = error_type.is_some_and(|(_, expected)| *expected == name);
                assert_eq!(rise(ERRORS, &labels), expected as u64, "{case} {name}");
            }
            for labels in [not_found, panicked] {
                let expected = *module_error == Some(labels);
                assert_eq!(
                    rise(MODULE_ERRORS, labels),
                    expected as u64,
                    "{case} {labels}"
                );
            }
            let cancelled = *how == How::Dropped;
            assert_eq!(
                rise(CANCELLED, r#"{operation="call"}"#),
                cancelled as u64,
                "{case}"
            );
            let spans = seen.spans("call");
            assert_eq!(spans.len(), started as usize, "{case}");
            if let Some(span) = spans.first() {
                let mut expected = vec![("tenant_id", "acme")];
                expected.extend_from_slice(fields);
                expected.sort_unstable();
                let actual: Vec<_> = span
                    .fields
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_str()))
                    .collect();
                assert_eq!(actual, expected, "{case}");
                assert!(span.closed, "{case}");
            }
            assert!(!seen.dump().contains("hunter2"), "{case}");
        }
    }
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn an_aborted_task_is_cancelled() {
    let telemetry = text_only().init().expect("telemetry starts");
    let task = tokio::spawn(asynchronous(How::Dropped, "hunter2"));
    tokio::task::yield_now().await;
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    let text = text();
    assert_samples(&text, CANCELLED, &[(r#"{operation="call"}"#, "1")]);
    assert_samples(&text, ERRORS, &[]);
    assert_samples(&text, MODULE_ERRORS, &[]);
    let _ = telemetry.shutdown();
}

#[test]
fn a_future_dropped_by_another_panic_is_cancelled() {
    let seen = watch();
    let unwound = catch_unwind(|| {
        let mut future = Box::pin(asynchronous(How::Dropped, "hunter2"));
        let _ = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        panic!("on purpose");
    });
    assert!(unwound.is_err());
    let fields = seen.span("call").fields;
    assert_eq!(fields["rustok.outcome"], "cancelled");
    assert!(!fields.contains_key("error.type"));
}

#[test]
fn a_call_in_a_destructor_during_a_panic_did_not_panic() {
    struct CleansUp;
    impl Drop for CleansUp {
        fn drop(&mut self) {
            assert!(blocking(How::Ok, "hunter2").is_ok());
        }
    }
    let seen = watch();
    let unwound = catch_unwind(|| {
        let _cleans_up = CleansUp;
        panic!("on purpose");
    });
    assert!(unwound.is_err());
    assert!(!seen.span("call").fields.contains_key("error.type"));
}

#[test_fork::test]
fn a_successful_call_does_not_allocate() {
    assert!(blocking(How::Ok, "hunter2").is_ok());
    let info = allocation_counter::measure(|| {
        for _ in 0..100 {
            assert!(blocking(How::Ok, "hunter2").is_ok());
        }
    });
    assert_eq!(info.count_total, 0, "{info:?}");
}

#[test_fork::test]
fn a_filtered_span_still_counts_the_modules_errors() {
    let telemetry = text_only().init().expect("telemetry starts");
    #[instrument(level = "trace", module = "catalog")]
    fn verbose() -> Result<()> {
        Err(Failure::NotFound)
    }
    assert!(verbose().is_err());
    let text = text();
    assert_samples(&text, CREATED, &[]);
    let labels = r#"{error_type="not_found",module="catalog",severity="error"}"#;
    assert_samples(&text, MODULE_ERRORS, &[(labels, "1")]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
async fn values_of_a_call_are_dropped_within_its_span() {
    struct Tells;
    impl Drop for Tells {
        fn drop(&mut self) {
            tracing::info!("dropped");
        }
    }
    #[instrument]
    fn blocking(tells: Tells) {
        let _tells = tells;
    }
    #[instrument]
    async fn done(tells: Tells) {
        let _tells = tells;
        tokio::task::yield_now().await;
    }
    #[instrument]
    async fn cancelled(tells: Tells) {
        let _tells = tells;
        std::future::pending().await
    }
    let seen = watch();
    blocking(Tells);
    done(Tells).await;
    assert!(cancelled(Tells).now_or_never().is_none());
    let spans: Vec<_> = seen
        .events()
        .iter()
        .filter_map(|event| event.span)
        .collect();
    assert_eq!(spans, ["blocking", "done", "cancelled"]);
}
