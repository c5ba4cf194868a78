//! Work that outlives its request stays part of the trace, and leaves the request's duration alone.

mod support;

use std::{future::pending, sync::mpsc, time::Duration};

use opentelemetry::trace::SpanId;
use rustok_telemetry::{Telemetry, propagation, task, tenant};
use support::{
    assert_samples,
    exported::{Exporting, attribute},
    samples, text, text_only,
};
use tokio::{sync::oneshot, task::JoinSet};
use tracing::{Instrument, field::Empty, subscriber::DefaultGuard};

/// Telemetry with a subscriber for this thread only.
fn scoped() -> (Telemetry, DefaultGuard) {
    use tracing_subscriber::layer::SubscriberExt;

    let telemetry = text_only().without_subscriber().init().expect("it starts");
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let default = tracing::subscriber::set_default(subscriber);
    (telemetry, default)
}

/// Trace and span of the current work.
fn traceparent() -> String {
    let mut headers = http::HeaderMap::new();
    propagation::inject_headers(&mut headers);
    let header = headers.get("traceparent");
    let header = header.map(|header| header.to_str().expect("text").to_owned());
    header.unwrap_or_default()
}

fn closed_spans() -> Vec<(String, String)> {
    samples(&text(), "rustok_span_duration_seconds_count")
        .into_iter()
        .collect()
}

fn closed(operation: &str, count: &str) -> (String, String) {
    (format!("{{operation=\"{operation}\"}}"), count.to_owned())
}

#[tokio::test]
#[test_fork::fork]
async fn a_task_does_not_extend_the_request() {
    let (telemetry, _default) = scoped();
    let (finish, finished) = oneshot::channel::<()>();
    let request = tracing::info_span!("request", tenant_id = "acme");
    let (outer, background) = request.in_scope(|| {
        let background = task::spawn(async {
            finished.await.expect("it is told to finish");
            (traceparent(), tenant::label())
        });
        (traceparent(), background)
    });
    tokio::task::yield_now().await;
    drop(request);
    assert_eq!(closed_spans(), [closed("request", "1")]);
    finish.send(()).expect("it waits");
    let (inner, tenant) = background.await.expect("it ends");
    assert_eq!(
        closed_spans(),
        [closed("request", "1"), closed("task", "1")]
    );
    assert_eq!(inner[..36], outer[..36], "the same trace");
    assert_ne!(inner, outer, "a span of its own");
    assert_eq!(&*tenant, "acme");
    assert_samples(
        &text(),
        "rustok_spans_created_total",
        &[
            (r#"{operation="request",tenant_id="acme"}"#, "1"),
            (r#"{operation="task",tenant_id="acme"}"#, "1"),
        ],
    );
    assert_samples(&text(), "rustok_spans_with_errors_total", &[]);
    assert_samples(&text(), "rustok_spans_cancelled_total", &[]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_task_is_a_child_of_what_spawned_it() {
    let exporting = Exporting::start();
    let line = line!() + 2;
    let request = async {
        let detached = task::spawn(async { tracing::info_span!("step").in_scope(|| {}) });
        let named = tracing::info_span!(parent: None, "send_mail");
        let named = task::spawn_in(named, async {});
        let blocking = task::spawn_blocking(|| tracing::info_span!("read").in_scope(|| {}));
        (detached.await, named.await, blocking.await)
    };
    let request = request.instrument(tracing::info_span!("request"));
    let (detached, named, blocking) = request.await;
    detached.and(named).and(blocking).expect("they end");
    let request = exporting.span("request");
    let trace = request.span_context.trace_id();
    let mut tasks = exporting.all();
    tasks.retain(|span| span.name == "task");
    assert_eq!(tasks.len(), 2);
    tasks.push(exporting.span("send_mail"));
    for span in &tasks {
        assert_eq!(span.parent_span_id, request.span_context.span_id());
        assert_eq!(span.span_context.trace_id(), trace);
        assert!(!span.parent_span_is_remote);
    }
    let within = ["step", "read"].map(|name| exporting.span(name).parent_span_id);
    for parent in within {
        assert!(
            tasks
                .iter()
                .any(|task| task.span_context.span_id() == parent)
        );
    }
    let mut places: Vec<_> = tasks[..2]
        .iter()
        .map(|task| {
            (
                attribute(task, "code.file.path"),
                attribute(task, "code.line.number"),
            )
        })
        .collect();
    places.sort_unstable();
    let place = |line: u32| (file!().to_owned(), line.to_string());
    assert_eq!(places, [place(line), place(line + 3)]);
}

#[tokio::test]
#[test_fork::fork]
async fn a_task_without_a_parent_starts_a_trace() {
    let exporting = Exporting::start();
    task::spawn(async {}).await.expect("it ends");
    assert_eq!(exporting.span("task").parent_span_id, SpanId::INVALID);
}

#[tokio::test]
#[test_fork::fork]
async fn panics_and_aborts_count_once() {
    let (telemetry, _default) = scoped();
    let panics = task::spawn(async { panic!("on purpose") });
    assert!(panics.await.expect_err("it panics").is_panic());
    let panics = task::spawn_blocking(|| panic!("on purpose"));
    assert!(panics.await.expect_err("it panics").is_panic());
    let aborted = task::spawn(pending::<()>());
    tokio::task::yield_now().await;
    aborted.abort();
    assert!(aborted.await.expect_err("aborted").is_cancelled());
    let before_it_began = task::spawn(pending::<()>());
    before_it_began.abort();
    assert!(before_it_began.await.expect_err("aborted").is_cancelled());
    let fails = task::spawn(async { Err::<(), _>("not looked at") });
    assert!(fails.await.expect("it ends").is_err());
    assert_samples(
        &text(),
        "rustok_spans_with_errors_total",
        &[(r#"{error_type="panic",operation="task"}"#, "2")],
    );
    assert_samples(
        &text(),
        "rustok_spans_cancelled_total",
        &[(r#"{operation="task"}"#, "2")],
    );
    assert_eq!(closed_spans(), [closed("task", "5")]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn other_executors_run_detached_tasks() {
    let (telemetry, _default) = scoped();
    let request = tracing::info_span!("request", tenant_id = "acme").entered();
    let outer = traceparent();
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        tasks.spawn(task::detached(async { (traceparent(), tenant::label()) }));
    }
    drop(request);
    for (inner, tenant) in tasks.join_all().await {
        assert_eq!(inner[..36], outer[..36]);
        assert_eq!(&*tenant, "acme");
    }
    tasks = JoinSet::new();
    tasks.spawn(task::detached(async { pending().await }));
    tasks.shutdown().await;
    assert_samples(
        &text(),
        "rustok_spans_cancelled_total",
        &[(r#"{operation="task"}"#, "1")],
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_tenant_set_by_the_task_is_kept() {
    let (telemetry, _default) = scoped();
    let request = tracing::info_span!("request", tenant_id = "acme").entered();
    let own = tracing::info_span!(parent: None, "own", tenant_id = "globex");
    let callers = tracing::info_span!(parent: None, "callers", tenant_id = Empty);
    let tasks = [own, callers].map(|span| task::spawn_in(span, async { tenant::label() }));
    drop(request);
    let [own, callers] = tasks;
    assert_eq!(&*own.await.expect("it ends"), "globex");
    assert_eq!(&*callers.await.expect("it ends"), "acme");
    let created = samples(&text(), "rustok_spans_created_total");
    assert_eq!(created[r#"{operation="own",tenant_id="globex"}"#], "1");
    assert_eq!(created[r#"{operation="callers",tenant_id="acme"}"#], "1");
    let _ = telemetry.shutdown();
}

/// The subscriber of this thread is there on others, while the task runs and while it is dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn the_subscriber_goes_along() {
    struct SpansAtTheEnd(mpsc::Sender<String>);

    impl Drop for SpansAtTheEnd {
        fn drop(&mut self) {
            let _ = self.0.send(tenant::label().to_string());
        }
    }

    let (telemetry, _default) = scoped();
    let request = tracing::info_span!("request", tenant_id = "acme").entered();
    let blocking = task::spawn_blocking(|| tenant::label().to_string());
    let (sender, dropped) = mpsc::channel();
    let guard = SpansAtTheEnd(sender);
    let aborted = task::spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    let running = task::spawn(async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        tenant::label().to_string()
    });
    drop(request);
    assert_eq!(blocking.await.expect("it ends"), "acme");
    assert_eq!(running.await.expect("it ends"), "acme");
    aborted.abort();
    assert!(aborted.await.is_err());
    let at_the_end = dropped.recv_timeout(Duration::from_secs(5));
    assert_eq!(at_the_end.expect("it was dropped"), "acme");
    let _ = telemetry.shutdown();
}

#[tokio::test]
async fn tasks_run_without_telemetry() {
    let sum = task::spawn(async { 1 + 2 }).await.expect("it ends");
    let product = task::spawn_blocking(|| 3 * 4).await.expect("it ends");
    let span = tracing::info_span!(parent: None, "own");
    let text = task::spawn_in(span, async { traceparent() });
    assert_eq!((sum, product), (3, 12));
    assert_eq!(text.await.expect("it ends"), "");
}
