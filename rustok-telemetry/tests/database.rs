//! Queries: each is timed, and has one outcome. Statements that were run elsewhere.

#[path = "instrument/spans.rs"]
mod spans;
mod support;

use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Waker},
    thread::sleep,
    time::Duration,
};

use rustok_telemetry::{
    ErrorType,
    database::{self, Query},
};
use spans::{watch, watch_counted};
use support::{assert_samples, samples, text, text_only};

const COUNT: &str = "rustok_database_query_duration_seconds_count";
const SECONDS: &str = "rustok_database_query_duration_seconds_sum";
const ERRORS: &str = "rustok_database_query_errors_total";
const SPANS: &str = "rustok_spans_created_total";
const SPAN_ERRORS: &str = "rustok_spans_with_errors_total";
const CANCELLED: &str = "rustok_spans_cancelled_total";

#[derive(Debug, ErrorType)]
enum Failure {
    Locked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Ok,
    Err,
    Panic,
    Dropped,
    NeverPolled,
}

/// Waits once, then ends as it is told.
async fn work(how: How) -> Result<u64, Failure> {
    tokio::task::yield_now().await;
    match how {
        How::Ok => Ok(3),
        How::Err => Err(Failure::Locked),
        How::Panic => panic!("on purpose: SELECT hunter2"),
        How::Dropped | How::NeverPolled => pending().await,
    }
}

fn run_async(how: How) {
    let mut query = Box::pin(database::query("select", "products", work(how)));
    for _ in 0..if how == How::NeverPolled { 0 } else { 2 } {
        let poll = || query.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let _ = catch_unwind(AssertUnwindSafe(poll));
    }
}

fn run_blocking(how: How) {
    let query = Query::new("select", "products");
    let _ = catch_unwind(|| {
        query.run_blocking(|| match how {
            How::Ok => Ok(3),
            How::Err => Err(Failure::Locked),
            _ => panic!("on purpose: SELECT hunter2"),
        })
    });
}

/// How it ends, `error.type`, `rustok.outcome`.
type Case = (How, Option<&'static str>, Option<&'static str>);

const CASES: [Case; 5] = [
    (How::Ok, None, None),
    (How::Err, Some("locked"), None),
    (How::Panic, Some("panic"), None),
    (How::Dropped, None, Some("cancelled")),
    (How::NeverPolled, None, None),
];

#[test_fork::test]
fn each_query_is_timed_and_has_one_outcome() {
    let telemetry = text_only().init().expect("telemetry starts");
    let sum = |text: &str, name: &str| -> u64 {
        let values = samples(text, name).into_values();
        values
            .map(|value| value.parse::<u64>().expect("a number"))
            .sum()
    };
    for (kind, run) in [("async", run_async as fn(How)), ("blocking", run_blocking)] {
        for (how, error_type, outcome) in CASES {
            if kind == "blocking" && matches!(how, How::Dropped | How::NeverPolled) {
                continue;
            }
            let case = format!("{kind} {how:?}");
            let began = u64::from(how != How::NeverPolled);
            let failed = u64::from(error_type.is_some());
            let seen = watch_counted(&telemetry);
            let before = text();
            run(how);
            let after = text();
            let rise = |name| sum(&after, name) - sum(&before, name);
            assert_eq!(rise(COUNT), began, "{case}");
            assert_eq!(rise(ERRORS), failed, "{case}");
            assert_eq!(rise(SPANS), began, "{case}");
            assert_eq!(rise(SPAN_ERRORS), failed, "{case}");
            assert_eq!(rise(CANCELLED), u64::from(outcome.is_some()), "{case}");
            let found = seen.spans("db.query");
            assert_eq!(found.len() as u64, began, "{case}");
            for span in found {
                assert!(span.closed, "{case}");
                let field = |name: &str| span.fields.get(name).map(String::as_str);
                assert_eq!(field("error.type"), error_type, "{case}");
                assert_eq!(field("rustok.outcome"), outcome, "{case}");
                let status = error_type.map(|_| "ERROR");
                assert_eq!(field("otel.status_code"), status, "{case}");
            }
            assert!(!seen.dump().contains("hunter2"), "{case}");
        }
    }
    let text = text();
    let labels = r#"{query_type="select",table="products"}"#;
    assert_samples(&text, COUNT, &[(labels, "7")]);
    assert_samples(
        &text,
        ERRORS,
        &[
            (r#"{error_type="locked",query_type="select"}"#, "2"),
            (r#"{error_type="panic",query_type="select"}"#, "2"),
        ],
    );
    assert_samples(&text, CANCELLED, &[(r#"{operation="db.query"}"#, "1")]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_duration_of_a_dropped_query_is_recorded() {
    let telemetry = text_only().init().expect("telemetry starts");
    let mut query = Box::pin(database::query("select", "products", work(How::Dropped)));
    let poll = query.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending());
    sleep(Duration::from_millis(60));
    drop(query);
    let seconds = samples(&text(), SECONDS);
    let seconds: f64 = seconds[r#"{query_type="select",table="products"}"#]
        .parse()
        .expect("a number");
    assert!((0.05..5.0).contains(&seconds), "{seconds}");
    let _ = telemetry.shutdown();
}

#[test]
fn the_span_has_operation_table_and_system() {
    let names = |query: Query| {
        let seen = watch();
        let done = query.run_blocking(|| Ok::<_, Failure>(1));
        assert!(done.is_ok());
        let mut fields = seen.span("db.query").fields;
        assert_eq!(fields.remove("otel.kind").as_deref(), Some("client"));
        fields
    };
    let expected = |fields: &[(&str, &str)]| {
        let owned = fields
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        owned.collect::<spans::Fields>()
    };
    let select = Query::new("select", "products");
    assert_eq!(
        names(select),
        expected(&[
            ("otel.name", "SELECT products"),
            ("db.operation.name", "SELECT"),
            ("db.collection.name", "products"),
        ])
    );
    let summary = "SELECT orders by second";
    assert_eq!(
        names(select.system("postgresql").summary(summary)),
        expected(&[
            ("otel.name", summary),
            ("db.operation.name", "SELECT"),
            ("db.collection.name", "products"),
            ("db.system.name", "postgresql"),
            ("db.query.summary", summary),
        ])
    );
    assert_eq!(
        names(Query::new("ping", "")),
        expected(&[("otel.name", "PING"), ("db.operation.name", "PING")])
    );
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn the_exported_span_has_kind_client_and_an_sql_name() {
    let telemetry = rustok_telemetry::testing::capture();
    let select = Query::new("select", "products").system("sqlite");
    assert!(select.run(work(How::Err)).await.is_err());
    let span = telemetry.span("SELECT products");
    span.assert_error("locked")
        .assert_attribute("db.system.name", "sqlite")
        .assert_attribute("db.operation.name", "SELECT")
        .assert_attribute("db.collection.name", "products")
        .assert_no_attribute("db.query.text")
        .assert_no_attribute("db.query.summary");
    assert_eq!(format!("{:?}", span.kind()), "Client");
}

#[tokio::test]
#[test_fork::fork]
async fn run_named_names_the_errors_of_a_driver() {
    let telemetry = text_only().init().expect("telemetry starts");
    let error = Query::new("get", "")
        .run_named(async { Err::<(), _>("secret") }, |_| "refused")
        .await;
    assert_eq!(error, Err("secret"));
    let text = text();
    let labels = r#"{error_type="refused",query_type="get"}"#;
    assert_samples(&text, ERRORS, &[(labels, "1")]);
    assert_samples(&text, COUNT, &[(r#"{query_type="get",table="none"}"#, "1")]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_query_does_not_allocate_at_steady_state() {
    let telemetry = text_only().init().expect("telemetry starts");
    let sql = "SELECT p.id, p.name FROM products p WHERE p.tenant_id = $1";
    let run = |rounds| {
        for _ in 0..rounds {
            // Without the log line of a span, which is text.
            let query = database::query("select", "products", async { Ok::<_, Failure>(1) });
            let mut query = std::pin::pin!(query);
            let context = &mut Context::from_waker(Waker::noop());
            assert!(query.as_mut().poll(context).is_ready());
            database::record_statement(sql, Duration::from_millis(1), true);
        }
    };
    let quiet = tracing::subscriber::NoSubscriber::default();
    tracing::subscriber::with_default(quiet, || {
        run(1);
        let info = allocation_counter::measure(|| run(100));
        assert_eq!(info.count_total, 0, "{info:?}");
    });
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn statements_are_counted_by_kind_and_table() {
    let telemetry = text_only().init().expect("telemetry starts");
    let time = Duration::from_millis(3);
    for (sql, failed) in [
        (
            r#"SELECT "id" FROM "products" WHERE "sku" = 'hunter2'"#,
            false,
        ),
        (r#"INSERT INTO "orders" ("id") VALUES ('hunter2')"#, true),
        ("VACUUM", false),
    ] {
        database::record_statement(sql, time, failed);
    }
    let text = text();
    assert_samples(
        &text,
        COUNT,
        &[
            (r#"{query_type="insert",table="orders"}"#, "1"),
            (r#"{query_type="other",table="other"}"#, "1"),
            (r#"{query_type="select",table="products"}"#, "1"),
        ],
    );
    let labels = r#"{error_type="error",query_type="insert"}"#;
    assert_samples(&text, ERRORS, &[(labels, "1")]);
    assert!(!text.contains("hunter2"));
    let _ = telemetry.shutdown();
}
