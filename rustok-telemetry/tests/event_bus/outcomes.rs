//! Ok, error, panic, cancelled: each publication and each handling is counted once.

use std::{
    collections::BTreeMap,
    future::{Future, pending},
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Waker},
};

use rustok_telemetry::event_bus::{EventMetadata, Handler, Publisher};

use crate::{
    Failure,
    spans::watch_counted,
    support::{text, text_only},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Ok,
    Err,
    Panic,
    Dropped,
    NeverPolled,
}

use How::{Dropped, Err as Fails, NeverPolled, Ok as Fine, Panic};

fn work(how: How) -> Result<u8, Failure> {
    match how {
        Fine => Ok(7),
        Fails => Err(Failure::NotFound),
        _ => panic!("on purpose"),
    }
}

async fn waiting_work(how: How) -> Result<u8, Failure> {
    tokio::task::yield_now().await;
    match how {
        Dropped | NeverPolled => pending().await,
        how => work(how),
    }
}

const PUBLISHER: Publisher = Publisher::new().module("shop").severity("warning");
const HANDLER: Handler<'_> = Handler::new("index").module("shop").severity("warning");

fn metadata() -> EventMetadata {
    EventMetadata::now("Created").with_tenant("acme")
}

fn publish(how: How) {
    let _span = tracing::info_span!("request", tenant_id = "acme").entered();
    let _ = catch_unwind(|| PUBLISHER.publish("Created", |_| work(how)));
}

fn publish_async(how: How) {
    let _span = tracing::info_span!("request", tenant_id = "acme").entered();
    run(
        how,
        PUBLISHER.publish_async("Created", |_| waiting_work(how)),
    );
}

fn publish_async_at_once(how: How) {
    let _span = tracing::info_span!("request", tenant_id = "acme").entered();
    let publish = PUBLISHER.publish_async("Created", |_| {
        let _ = work(how).is_ok(); // Panics before there is a future.
        async { work(how) }
    });
    run(how, publish);
}

fn handle_sync(how: How) {
    let _ = catch_unwind(|| HANDLER.handle_sync(&metadata(), || work(how)));
}

fn handle(how: How) {
    run(how, HANDLER.handle(&metadata(), waiting_work(how)));
}

fn handle_catching(how: How) {
    let metadata = metadata();
    let output = run(how, HANDLER.handle_catching(&metadata, waiting_work(how)));
    if how == Panic {
        assert!(matches!(output, Some(Err(Failure::Panicked(_)))));
    }
}

/// Polls twice, which is enough, and drops. A panic is caught outside of the poll, as runtimes do.
fn run<T>(how: How, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..if how == NeverPolled { 0 } else { 2 } {
        let poll = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        match poll {
            Ok(std::task::Poll::Ready(output)) => return Some(output),
            Ok(std::task::Poll::Pending) => {}
            Err(_) => return None,
        }
    }
    None
}

/// What rises by one, and the fields of the span that tell the outcome.
struct Expected(
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const NOT_FOUND: &[(&str, &str)] = &[("error.type", "not_found"), ("otel.status_code", "ERROR")];
const PANICKED: &[(&str, &str)] = &[("error.type", "panic"), ("otel.status_code", "ERROR")];
const CANCELLED: &[(&str, &str)] = &[("rustok.outcome", "cancelled")];

const PUBLISHED: &str =
    r#"rustok_event_bus_published_total{event_type="Created",tenant_id="acme"}"#;
const DISPATCHED: &str =
    r#"rustok_event_bus_dispatched_total{event_type="Created",handler="index"}"#;
const TIMED: &str =
    r#"rustok_event_bus_processing_duration_seconds_count{event_type="Created",handler="index"}"#;
const BUS_NOT_FOUND: &str =
    r#"rustok_event_bus_errors_total{error_type="not_found",event_type="Created"}"#;
const BUS_PANIC: &str = r#"rustok_event_bus_errors_total{error_type="panic",event_type="Created"}"#;
const MODULE_NOT_FOUND: &str =
    r#"rustok_module_errors_total{error_type="not_found",module="shop",severity="warning"}"#;
const MODULE_PANIC: &str =
    r#"rustok_module_errors_total{error_type="panic",module="shop",severity="critical"}"#;

fn expected(handles: bool, how: How) -> Expected {
    match (handles, how) {
        (false, Fine) => Expected(&[PUBLISHED], &[]),
        (false, Fails) => Expected(&[BUS_NOT_FOUND, MODULE_NOT_FOUND], NOT_FOUND),
        (false, Panic) => Expected(&[BUS_PANIC, MODULE_PANIC], PANICKED),
        (false, Dropped) => Expected(&[], CANCELLED),
        (true, Fine) => Expected(&[DISPATCHED, TIMED], &[]),
        (true, Fails) => Expected(&[BUS_NOT_FOUND, TIMED, MODULE_NOT_FOUND], NOT_FOUND),
        (true, Panic) => Expected(&[BUS_PANIC, TIMED, MODULE_PANIC], PANICKED),
        (true, Dropped) => Expected(&[TIMED], CANCELLED),
        (_, NeverPolled) => Expected(&[], &[]),
    }
}

/// What is run, and the cases that it knows.
type Run<'cases> = (&'static str, fn(How), &'cases [How]);

#[test_fork::test]
fn each_publication_and_each_handling_has_one_outcome() {
    let telemetry = text_only().init().expect("telemetry starts");
    let all = [Fine, Fails, Panic, Dropped, NeverPolled];
    let runs: [Run<'_>; 6] = [
        ("publish", publish, &all[..3]),
        ("publish_async", publish_async, &all),
        ("publish_async_at_once", publish_async_at_once, &[Panic]),
        ("handle_sync", handle_sync, &all[..3]),
        ("handle", handle, &all),
        ("handle_catching", handle_catching, &all),
    ];
    for (name, run, cases) in runs {
        let handles = name.starts_with("handle");
        let span = if handles {
            "event.handle"
        } else {
            "event.publish"
        };
        for &how in cases {
            let case = format!("{name} {how:?}");
            let before = counts();
            let seen = watch_counted(&telemetry);
            run(how);
            let Expected(rises, outcome) = expected(handles, how);
            let mut rises: BTreeMap<_, _> = rises.iter().map(|s| ((*s).to_owned(), 1)).collect();
            let began = how != NeverPolled;
            if began {
                let errors = |name| {
                    format!(
                        "rustok_spans_with_errors_total{{error_type=\"{name}\",operation=\"{span}\"}}"
                    )
                };
                rises.insert(
                    format!(
                        "rustok_spans_created_total{{operation=\"{span}\",tenant_id=\"acme\"}}"
                    ),
                    1,
                );
                rises.insert(
                    format!("rustok_span_duration_seconds_count{{operation=\"{span}\"}}"),
                    1,
                );
                match how {
                    Fails => rises.insert(errors("not_found"), 1),
                    Panic => rises.insert(errors("panic"), 1),
                    Dropped => rises.insert(
                        format!("rustok_spans_cancelled_total{{operation=\"{span}\"}}"),
                        1,
                    ),
                    _ => None,
                };
            }
            assert_eq!(risen(&before, &counts()), rises, "{case}");

            let spans = seen.spans(span);
            assert_eq!(spans.len(), usize::from(began), "{case}");
            let Some(span) = spans.first() else { continue };
            assert!(span.closed, "{case}");
            let of_outcome = ["error.type", "otel.status_code", "rustok.outcome"];
            let error_type = span.fields.get("error.type");
            let description = span.fields.get("otel.status_description");
            assert_eq!(description, error_type, "{case}");
            let fields = span.fields.iter().map(|(n, v)| (n.as_str(), v.as_str()));
            let (told, others): (Vec<_>, Vec<_>) = fields
                .filter(|(name, _)| *name != "otel.status_description")
                .partition(|(name, _)| of_outcome.contains(name));
            assert_eq!(told, outcome, "{case}");
            assert_eq!(others, if handles { CONSUMER } else { PRODUCER }, "{case}");
        }
    }
    let _ = telemetry.shutdown();
}

const PRODUCER: &[(&str, &str)] = &[
    ("messaging.destination.name", "Created"),
    ("messaging.operation.name", "publish"),
    ("messaging.operation.type", "send"),
    ("otel.kind", "producer"),
    ("tenant_id", "acme"),
];

const CONSUMER: &[(&str, &str)] = &[
    ("messaging.destination.name", "Created"),
    ("messaging.operation.name", "handle"),
    ("messaging.operation.type", "process"),
    ("otel.kind", "consumer"),
    ("otel.name", "index"),
    ("tenant_id", "acme"),
];

/// Every count and every gauge of the application, but for those of the span around the publications and the error rate.
fn counts() -> BTreeMap<String, u64> {
    let others = [
        "#",
        "target_info",
        "rustok_telemetry_",
        "rustok_module_error_rate",
        "process_",
    ];
    text()
        .lines()
        .filter(|line| !others.iter().any(|other| line.starts_with(other)))
        .filter(|line| !line.contains("operation=\"request\""))
        .filter_map(|line| line.rsplit_once(' '))
        .filter(|(series, _)| !series.contains("_bucket{") && !series.contains("_sum{"))
        .map(|(series, value)| (series.to_owned(), value.parse().expect("a whole number")))
        .collect()
}

fn risen(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let rise = |(series, value): (&String, &u64)| {
        let rise = value - before.get(series).copied().unwrap_or_default();
        (rise > 0).then(|| (series.clone(), rise))
    };
    after.iter().filter_map(rise).collect()
}

#[test_fork::test]
fn an_aborted_handler_is_cancelled() {
    let telemetry = text_only().init().expect("telemetry starts");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let metadata = metadata();
        let task =
            tokio::spawn(async move { HANDLER.handle(&metadata, waiting_work(Dropped)).await });
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.is_err_and(|error| error.is_cancelled()));
    });
    let counts = counts();
    assert_eq!(
        counts[r#"rustok_spans_cancelled_total{operation="event.handle"}"#],
        1
    );
    assert_eq!(counts[TIMED], 1);
    assert!(
        !counts.keys().any(|series| series.contains("error")),
        "{counts:?}"
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_error_can_set_the_severity() {
    let telemetry = text_only().init().expect("telemetry starts");
    fn severity(error: &Failure) -> &'static str {
        match error {
            Failure::NotFound => "critical",
            Failure::Panicked(_) => unreachable!("it is counted as a panic, not as an error"),
        }
    }
    let handler = Handler::new("index").module("shop").severity_by(severity);
    let metadata = metadata();
    for how in [Fine, Fails, Panic] {
        run(how, handler.handle_catching(&metadata, waiting_work(how)));
    }
    let counts = counts();
    let of_module = counts
        .iter()
        .filter(|(series, _)| series.contains("module="));
    let of_module: Vec<_> = of_module
        .map(|(series, count)| (series.as_str(), *count))
        .collect();
    let not_found = MODULE_NOT_FOUND.replace("warning", "critical");
    assert_eq!(of_module, [(not_found.as_str(), 1), (MODULE_PANIC, 1)]);
    let _ = telemetry.shutdown();
}

#[test]
fn futures_can_be_sent_to_other_threads() {
    fn assert_send<T: Send>(_: &T) {}
    let metadata = metadata();
    assert_send(&HANDLER.handle(&metadata, waiting_work(Fine)));
    assert_send(&HANDLER.handle_catching(&metadata, waiting_work(Fine)));
    assert_send(&PUBLISHER.publish_async("Created", |_| waiting_work(Fine)));
}
