//! What is told of a panic: one log event, and an `exception` event of the innermost span.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};

use axum::{Router, body::Body, http::Request, routing::get};
use futures::FutureExt;
use opentelemetry::trace::Status;
use rustok_telemetry::{
    database,
    event_bus::{self, EventMetadata},
    http::TelemetryLayer,
    instrument, task,
};
use tower::ServiceExt;

use crate::{
    Result,
    export::{block_on, event_attribute, export},
    spans::watch,
    support::text_only,
};

const TARGET: &str = "rustok_telemetry::panic";

const LINE: u32 = line!() + 3;
#[instrument]
fn inner(message: &str) {
    panic!("{message}")
}

#[instrument]
fn outer(message: &str) {
    inner(message);
}

#[instrument]
async fn asynchronous(message: &str) {
    tokio::task::yield_now().await;
    outer(message);
}

#[test_fork::test]
fn a_panic_is_one_exception_of_the_innermost_span() {
    let _telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let spans = export(|| {
        assert!(catch_unwind(|| outer("secret tea")).is_err());
        let call = AssertUnwindSafe(asynchronous("green tea")).catch_unwind();
        assert!(block_on(call).is_err());
    });
    for (spans, message) in [(&spans[..2], "secret tea"), (&spans[2..], "green tea")] {
        let exception = &spans[0].events[1];
        assert_eq!(spans[0].name, "inner");
        assert_eq!(exception.name, "exception");
        assert_eq!(event_attribute(exception, "exception.type"), "panic");
        assert_eq!(event_attribute(exception, "exception.message"), message);
        assert_eq!(event_attribute(exception, "code.file.path"), file!());
        let at = event_attribute(exception, "code.line.number");
        assert_eq!(at.parse::<u32>().ok(), Some(LINE));
        assert!(
            spans[1..].iter().all(|span| span.events.is_empty()),
            "{spans:?}"
        );
        for span in spans {
            assert_eq!(span.status, Status::error("panic"));
        }
    }
}

#[test_fork::test]
fn a_panic_is_one_log_event_within_the_innermost_span() {
    let _telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let seen = watch();
    assert!(catch_unwind(|| outer("on\npurpose")).is_err());
    let events = seen.events();
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((event.span, event.level.as_str()), (Some("inner"), "ERROR"));
    assert_eq!(event.target, TARGET);
    assert_eq!(event.fields["exception.type"], "panic");
    assert_eq!(event.fields["exception.message"], "on\npurpose");
    let text = &event.fields["message"];
    assert!(
        text.starts_with(&format!("panicked at {}:", file!())),
        "{text}"
    );
    assert!(text.ends_with(": on\npurpose"), "{text}");
}

#[test_fork::test]
fn a_caught_panic_is_not_reported_later() {
    let _telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    #[instrument]
    fn catches(then: Option<&str>) {
        assert!(catch_unwind(|| inner("first")).is_err());
        if let Some(then) = then {
            panic!("{then}");
        }
    }
    #[instrument]
    fn resumes() {
        resume_unwind(Box::new("payload"));
    }
    let seen = watch();
    catches(None);
    assert!(catch_unwind(|| catches(Some("second"))).is_err());
    // No span sees this one.
    assert!(catch_unwind(|| panic!("unseen")).is_err());
    // This one has no hook.
    assert!(catch_unwind(resumes).is_err());
    let told: Vec<_> = seen
        .events()
        .into_iter()
        .map(|event| {
            let message = event.fields.get("exception.message").cloned();
            (event.span.unwrap_or_default(), message.unwrap_or_default())
        })
        .collect();
    let expected = [
        ("inner", "first"),
        ("inner", "first"),
        ("catches", "second"),
        ("resumes", ""),
    ];
    assert_eq!(
        told,
        expected.map(|(span, message)| (span, message.to_owned()))
    );
    assert!(!seen.dump().contains("unseen"));
}

#[test_fork::test]
fn a_payload_that_is_not_text_has_no_message() {
    let _telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    #[instrument]
    fn any() {
        panic_any(3);
    }
    #[instrument]
    fn long() {
        panic!("{}", "ä".repeat(5000));
    }
    let seen = watch();
    assert!(catch_unwind(any).is_err());
    assert!(catch_unwind(long).is_err());
    let events = seen.events();
    let [any, long] = &events[..] else {
        panic!("{events:?}");
    };
    assert!(!any.fields.contains_key("exception.message"));
    assert!(any.fields["message"].starts_with("panicked at "));
    assert_eq!(long.fields["exception.message"], "ä".repeat(2048));
}

#[test_fork::test]
fn handlers_tasks_and_queries_report_panics() {
    let _telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let spans = export(|| {
        block_on(async {
            for uri in ["/here", "/within"] {
                let app = Router::new()
                    .route("/here", get(async || -> () { panic!("on purpose") }))
                    .route("/within", get(async || inner("on purpose")))
                    .layer(TelemetryLayer::new());
                let request = Request::builder().uri(uri).body(Body::empty());
                let response = app.oneshot(request.expect("a request"));
                assert!(AssertUnwindSafe(response).catch_unwind().await.is_err());
            }
            let event = EventMetadata::now("Placed");
            let work = async || -> Result<()> { panic!("on purpose") };
            let handled = event_bus::handle(&event, "index", work());
            assert!(AssertUnwindSafe(handled).catch_unwind().await.is_err());
            let query = database::query("select", "products", work());
            assert!(AssertUnwindSafe(query).catch_unwind().await.is_err());
            let task = task::detached(work());
            assert!(AssertUnwindSafe(task).catch_unwind().await.is_err());
        });
    });
    let told: Vec<_> = spans
        .iter()
        .map(|span| {
            let exceptions = span.events.iter().filter(|event| event.name == "exception");
            (&*span.name, exceptions.count())
        })
        .collect();
    let expected = [
        ("GET /here", 1),
        ("inner", 1),
        ("GET /within", 0),
        ("index", 1),
        ("SELECT products", 1),
        ("task", 1),
    ];
    assert_eq!(told, expected);
}

#[test_fork::test]
fn without_the_panic_hook_there_is_no_message() {
    let seen = watch();
    for _ in 0..2 {
        assert!(catch_unwind(|| outer("secret")).is_err());
    }
    let events = seen.events();
    assert_eq!(events.len(), 2, "{events:?}");
    for event in &events {
        assert_eq!(event.span, Some("inner"));
        assert_eq!(event.fields["message"], "panicked");
    }
    assert!(!seen.dump().contains("secret"));
}

#[test_fork::test]
fn the_panic_hook_can_be_disabled() {
    let telemetry = text_only().without_subscriber().without_panic_hook();
    let _telemetry = telemetry.init().expect("telemetry starts");
    let seen = watch();
    assert!(catch_unwind(|| outer("secret")).is_err());
    assert_eq!(seen.events()[0].fields["message"], "panicked");
}

#[test_fork::test]
fn the_previous_panic_hook_is_called() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static CALLS: AtomicU32 = AtomicU32::new(0);
    std::panic::set_hook(Box::new(|_| {
        CALLS.fetch_add(1, Ordering::Relaxed);
    }));
    let _telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    assert!(catch_unwind(|| outer("on purpose")).is_err());
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
}

#[test]
fn capture_shows_one_exception_of_a_panic() {
    let telemetry = rustok_telemetry::testing::capture();
    assert!(catch_unwind(|| outer("on purpose")).is_err());
    telemetry.spans_named("inner")[0].assert_error("panic");
    telemetry.spans_named("outer")[0].assert_error("panic");
    assert_eq!(telemetry.logs().len(), 1);
    let spans = format!("{:?}", telemetry.spans());
    assert_eq!(spans.matches("name: \"exception\"").count(), 1, "{spans}");
    // The log event is no second event of the span.
    assert!(!spans.contains("panicked"), "{spans}");
}
