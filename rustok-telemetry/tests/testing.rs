//! Captures of the feature `testing`.
#![cfg(feature = "testing")]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use opentelemetry::trace::TraceContextExt;
use rustok_telemetry::{cache::CacheRecorder, instrument, metrics, tenant, testing};
use tracing_opentelemetry::OpenTelemetrySpanExt;

const PUBLISHED: &str = "rustok_event_bus_published_total";
const CREATED: &str = "rustok_spans_created_total";

#[instrument(name = "work", tenant_id = tenant)]
fn work(tenant: &str) {
    metrics::record_event_published("ProductCreated", tenant);
    tracing::info!("done");
}

#[test]
fn parallel_captures_are_isolated() {
    thread::scope(|scope| {
        for test in 0..20_u32 {
            scope.spawn(move || {
                let telemetry = testing::capture();
                let tenant = format!("tenant-{test}");
                for _ in 0..=test {
                    work(&tenant);
                    thread::yield_now();
                }
                let runs = f64::from(test + 1);
                telemetry.metric(PUBLISHED).assert_value(runs);
                telemetry
                    .metric(PUBLISHED)
                    .with("tenant_id", &tenant)
                    .assert_value(runs);
                telemetry.metric(CREATED).assert_value(runs);
                assert_eq!(telemetry.spans().len(), test as usize + 1);
                assert_eq!(telemetry.logs().len(), test as usize + 1);
            });
        }
    });
}

#[test]
fn only_records_during_the_capture_are_captured() {
    work("before");
    let telemetry = testing::capture();
    telemetry.metric(PUBLISHED).assert_absent();
    drop(telemetry);
    work("after");
    assert!(rustok_telemetry::lost_records().before_init >= 2);
}

#[test]
fn a_multi_thread_runtime_is_captured() {
    let telemetry = testing::capture();
    telemetry.block_on(async {
        let tasks: Vec<_> = (0..50)
            .map(|_| tokio::spawn(async { work("acme") }))
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
    });
    telemetry.metric(PUBLISHED).assert_value(50.0);
    telemetry
        .metric("rustok_span_duration_seconds")
        .assert_count(50);
    assert_eq!(telemetry.spans_named("work").len(), 50);
}

#[tokio::test]
async fn tasks_of_a_test_runtime_are_captured() {
    let telemetry = testing::capture();
    tokio::spawn(async { work("acme") })
        .await
        .expect("no panic");
    telemetry.metric(PUBLISHED).assert_value(1.0);
    telemetry
        .span("work")
        .assert_ok()
        .assert_attribute("tenant_id", "acme");
}

#[test]
fn a_span_closed_on_another_thread_is_captured() {
    let telemetry = testing::capture();
    let span = tracing::info_span!("moved");
    thread::spawn(move || drop(span)).join().expect("no panic");
    telemetry
        .metric("rustok_span_duration_seconds")
        .with("operation", "moved")
        .assert_count(1);
}

#[test]
fn children_have_the_inherited_tenant() {
    let telemetry = testing::capture();
    {
        let request = tracing::info_span!("request", tenant_id = tracing::field::Empty).entered();
        drop(tracing::info_span!("before"));
        tenant::set("acme");
        drop(tracing::info_span!("after"));
        drop(request);
    }
    let request = telemetry.span("request");
    request.assert_attribute("tenant_id", "acme");
    telemetry
        .span("before")
        .assert_child_of(&request)
        .assert_no_attribute("tenant_id");
    telemetry
        .span("after")
        .assert_child_of(&request)
        .assert_attribute("tenant_id", "acme");
    telemetry
        .metric(CREATED)
        .with("operation", "after")
        .with("tenant_id", "acme")
        .assert_value(1.0);
}

#[test]
fn callbacks_run_for_their_capture_only() {
    let one = testing::capture();
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let hook = metrics::before_collection(move || {
        let _held = &held;
        metrics::update_queue_depth("in_memory", 7);
    });
    {
        let other = testing::capture();
        other.metric("rustok_event_bus_queue_depth").assert_absent();
    }
    one.metric("rustok_event_bus_queue_depth").assert_value(7.0);
    drop(hook);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn sums_of_several_sources_are_isolated() {
    let size = || CacheRecorder::new("prices").observe_size(|| 3);
    let one = testing::capture();
    let _readings = (size(), size());
    {
        let other = testing::capture();
        let _reading = size();
        other.metric("rustok_cache_size").assert_value(3.0);
    }
    one.metric("rustok_cache_size").assert_value(6.0);
}

#[test]
fn label_budgets_apply() {
    let telemetry = testing::capture();
    for i in 0..600 {
        metrics::record_event_published("ProductCreated", &format!("tenant-{i}"));
    }
    telemetry.metric(PUBLISHED).assert_value(600.0);
    telemetry
        .metric(PUBLISHED)
        .with("tenant_id", "other")
        .assert_value(100.0);
}

#[test]
fn failed_assertions_show_what_was_recorded() {
    let telemetry = testing::capture();
    work("acme");
    let message = |failing: &(dyn Fn() + std::panic::RefUnwindSafe)| {
        let panic = catch_unwind(failing).expect_err("the assertion fails");
        panic.downcast_ref::<String>().cloned().expect("a message")
    };
    let metric = telemetry.metric(PUBLISHED);
    let span = telemetry.span("work");
    for (failing, parts) in [
        (
            Box::new({
                let metric = metric.clone();
                move || drop(metric.clone().with("tenant_id", "globex").assert_value(2.0))
            }) as Box<dyn Fn() + std::panic::RefUnwindSafe>,
            [
                "the value is 0, not 2",
                r#"{tenant_id="globex"}"#,
                r#"{event_type="ProductCreated",tenant_id="acme"} 1"#,
            ],
        ),
        (
            Box::new(move || drop(metric.clone().with("tenant", "acme"))),
            ["has no label `tenant`", "event_type", "tenant_id"],
        ),
        (
            Box::new(|| drop(testing::capture().metric("rustok_typo_total"))),
            [
                "no metric is called `rustok_typo_total`",
                PUBLISHED,
                CREATED,
            ],
        ),
        (
            Box::new(|| drop(testing::capture().span("nothing"))),
            ["0 spans are called `nothing`", "not 1", "[]"],
        ),
    ] {
        let message = message(&failing);
        for part in parts {
            assert!(message.contains(part), "{part} in: {message}");
        }
    }
    let wrong = catch_unwind(std::panic::AssertUnwindSafe(|| {
        span.assert_error("not_found");
    }));
    assert!(wrong.is_err());
}

#[test]
fn a_secret_is_found_in_every_signal() {
    let found = |leak: fn()| {
        catch_unwind(move || {
            let telemetry = testing::capture();
            leak();
            telemetry.assert_nowhere("hunter2");
        })
        .is_err()
    };
    assert!(!found(|| work("acme")));
    assert!(found(|| drop(tracing::info_span!(
        "login",
        password = "hunter2"
    ))));
    assert!(found(|| tracing::debug!("the password is hunter2")));
    assert!(found(|| metrics::record_event_published(
        "Login", "hunter2"
    )));
}

#[test]
fn a_spawned_task_is_captured() {
    let telemetry = testing::capture();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    {
        let _request = tracing::info_span!("request", tenant_id = "acme").entered();
        let task = rustok_telemetry::task::detached(async {
            metrics::record_event_published("MailSent", &tenant::label());
        });
        let task = runtime.spawn(task);
        runtime.block_on(task).expect("no panic");
    }
    telemetry
        .metric(PUBLISHED)
        .with("tenant_id", "acme")
        .assert_value(1.0);
    telemetry
        .span("task")
        .assert_ok()
        .assert_child_of(&telemetry.span("request"));
}

#[test]
fn a_span_that_ends_later_is_awaited() {
    let telemetry = testing::capture();
    // The test itself holds this one.
    let _request = tracing::info_span!("request").entered();
    for name in ["queried", "renamed"] {
        let span = tracing::info_span!("query", otel.name = name, password = "hunter2");
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            drop(span);
        });
    }
    let started = Instant::now();
    telemetry
        .span("queried")
        .assert_attribute("password", "hunter2");
    assert_eq!(telemetry.spans_named("renamed").len(), 1);
    let metric = telemetry.metric("rustok_span_duration_seconds");
    metric.with("operation", "query").assert_count(2);
    assert!(
        started.elapsed() < Duration::from_millis(900),
        "only as long as needed"
    );
    let late = tracing::info_span!("late", password = "correct horse");
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        drop(late);
    });
    let found = catch_unwind(AssertUnwindSafe(|| {
        telemetry.assert_nowhere("correct horse")
    }));
    assert!(
        found.is_err(),
        "in a span that ends while the assertion waits"
    );
}

#[test]
fn a_span_without_end_is_awaited_once_and_named() {
    let telemetry = testing::capture();
    let open = tracing::info_span!("work", otel.name = "never ends");
    let started = Instant::now();
    for _ in 0..3 {
        let message = catch_unwind(AssertUnwindSafe(|| drop(telemetry.span("work"))));
        let message = *message
            .expect_err("none has ended")
            .downcast::<String>()
            .expect("text");
        assert!(
            message.contains(r#"these are open: ["never ends"]"#),
            "{message}"
        );
        assert_eq!(telemetry.spans().len(), 0);
    }
    let waited = started.elapsed();
    assert!(
        (Duration::from_secs(1)..Duration::from_secs(2)).contains(&waited),
        "{waited:?}"
    );
    drop(open);
    telemetry.span("never ends");
}

#[test]
fn attributes_are_compared_with_their_type() {
    let telemetry = testing::capture();
    let (status, written) = (200_u16, 200.to_string());
    drop(tracing::info_span!(
        "work",
        status,
        text = "200",
        ratio = 0.5,
        sure = true,
        large = u64::MAX,
        size = 3_usize
    ));
    let span = telemetry.span("work");
    span.assert_attribute("status", 200)
        .assert_attribute("status", status)
        .assert_attribute("status", 200_u64)
        .assert_attribute("text", "200")
        .assert_attribute("text", &written)
        .assert_attribute("text", written.as_str())
        .assert_attribute("ratio", 0.5)
        .assert_attribute("sure", true)
        .assert_attribute("large", u64::MAX)
        .assert_attribute("large", "18446744073709551615")
        .assert_attribute("size", opentelemetry::Value::I64(3))
        .assert_no_attribute("none");
    assert_eq!(
        span.attribute("status"),
        Some(&opentelemetry::Value::I64(200))
    );
    for (key, expected, says) in [
        ("status", "200", "`status` is int 200, not string \"200\""),
        ("sure", "true", "`sure` is bool true, not string \"true\""),
        ("none", "x", "`none` is not there, not string \"x\""),
    ] {
        let wrong = catch_unwind(AssertUnwindSafe(|| {
            span.assert_attribute(key, expected);
        }));
        let wrong = *wrong
            .expect_err("another type")
            .downcast::<String>()
            .expect("text");
        assert!(wrong.contains(says), "{wrong}");
        assert!(wrong.contains("status=int 200"), "{wrong}");
    }
}

#[test]
fn a_status_has_its_description() {
    let telemetry = testing::capture();
    drop(tracing::info_span!(
        "failed",
        otel.status_code = "ERROR",
        otel.status_description = "card declined"
    ));
    drop(tracing::info_span!("well"));
    assert_eq!(
        telemetry.span("failed").status_description(),
        "card declined"
    );
    assert_eq!(telemetry.span("well").status_description(), "");
}

#[test]
fn ids_and_times_are_not_searched_for_a_secret() {
    let telemetry = testing::capture();
    work("acme");
    metrics::record_http_request_duration("GET", "/", 4.111);
    metrics::update_queue_depth("in_memory", 4111);
    let span = telemetry.span("work");
    telemetry.assert_nowhere("4111");
    telemetry.assert_nowhere("4.111");
    let id = span.trace_id().to_string();
    telemetry.assert_nowhere(&id);
    for digit in 0..10 {
        // Times and ids have every digit, and labels and names of metrics have none.
        telemetry.assert_nowhere(&digit.to_string());
    }
    for word in [
        "tv_nsec",
        "SpanData",
        "timestamp",
        "sum",
        "le=",
        "status=Unset",
    ] {
        telemetry.assert_nowhere(word);
    }
}

#[test]
fn a_secret_is_found_in_every_part_of_a_span() {
    let found = |leak: fn()| {
        let telemetry = testing::capture();
        leak();
        catch_unwind(AssertUnwindSafe(|| telemetry.assert_nowhere("4111"))).is_err()
    };
    assert!(found(|| drop(tracing::info_span!("work", card = 4111_u64))));
    assert!(found(|| drop(tracing::info_span!(
        "work",
        otel.name = "pay by 4111"
    ))));
    assert!(found(|| drop(tracing::info_span!(
        "work",
        otel.status_description = "no 4111"
    ))));
    assert!(found(
        || tracing::info_span!("work").in_scope(|| tracing::info!(card = 4111))
    ));
    assert!(found(
        || tracing::info_span!("work").in_scope(|| tracing::info!("card 4111"))
    ));
    assert!(found(|| {
        let span = tracing::info_span!("work");
        let key = opentelemetry::KeyValue::new("card", "4111");
        let other = tracing::info_span!("other").context();
        span.add_link_with_attributes(other.span().span_context().clone(), vec![key]);
        span.add_event("paid", vec![opentelemetry::KeyValue::new("4111", true)]);
    }));
}

#[test]
fn parents_end_with_their_children_on_any_thread() {
    let telemetry = testing::capture();
    let family = || {
        let grandparent = tracing::info_span!("grandparent");
        let parent = tracing::info_span!(parent: &grandparent, "parent");
        tracing::info_span!(parent: &parent, "child")
    };
    let child = family();
    // A thread that has no subscriber.
    thread::spawn(move || drop(child)).join().expect("no panic");
    // A subscriber that is being called.
    let mut child = Some(family());
    tracing::dispatcher::get_default(|_| drop(child.take()));
    drop(family());
    let started = Instant::now();
    for name in ["child", "parent", "grandparent"] {
        assert_eq!(telemetry.spans_named(name).len(), 3, "{name}");
    }
    assert!(started.elapsed() < Duration::from_millis(500), "no wait");
}
