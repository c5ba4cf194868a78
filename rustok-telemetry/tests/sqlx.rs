//! sqlx with a real database: names of its errors, and its pools.
#![cfg(feature = "sqlx")]

mod support;

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use rustok_telemetry::{
    ErrorType,
    database::{self, Query, QueryExt},
};
use sqlx::{
    AnyPool, Executor, Row, SqlitePool,
    any::{AnyPoolOptions, install_default_drivers},
    sqlite::SqlitePoolOptions,
};
use support::{assert_samples, samples, text, text_only};

/// A database in memory, for as long as the pool has its one connection.
async fn one_connection() -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(100))
        .connect("sqlite::memory:")
        .await
        .expect("a database")
}

#[track_caller]
fn assert_connections(active: &str, idle: &str) {
    let expected = [(r#"{state="active"}"#, active), (r#"{state="idle"}"#, idle)];
    assert_samples(&text(), "rustok_database_connections", &expected);
}

#[tokio::test]
async fn errors_have_their_own_names() {
    let pool = one_connection().await;
    pool.execute(
        "PRAGMA foreign_keys = ON; \
         CREATE TABLE tenants (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> '')); \
         CREATE TABLE orders (tenant INTEGER REFERENCES tenants (id)); \
         INSERT INTO tenants VALUES (1, 'acme')",
    )
    .await
    .expect("a schema");
    for (sql, name) in [
        (
            "INSERT INTO tenants VALUES (1, 'globex')",
            "unique_violation",
        ),
        ("INSERT INTO tenants VALUES (2, NULL)", "not_null_violation"),
        ("INSERT INTO tenants VALUES (2, '')", "check_violation"),
        ("INSERT INTO orders VALUES (7)", "foreign_key_violation"),
        ("SELECT * FROM nowhere", "database"),
    ] {
        let error = pool.execute(sql).await.expect_err(sql);
        assert_eq!(error.error_type(), name, "{sql}: {error}");
    }
    let nobody = sqlx::query("SELECT * FROM tenants WHERE id = 9");
    let error = nobody.fetch_one(&pool).await.expect_err("nobody");
    assert_eq!(error.error_type(), "row_not_found");
    let tenant = sqlx::query("SELECT name FROM tenants")
        .fetch_one(&pool)
        .await;
    let tenant = tenant.expect("a tenant");
    let error = tenant.try_get::<i64, _>("name").expect_err("a text");
    assert_eq!(error.error_type(), "decode");
    let error = tenant.try_get::<String, _>("plan").expect_err("no column");
    assert_eq!(error.error_type(), "column_not_found");

    let _only_one = pool.acquire().await.expect("a connection");
    let error = pool.acquire().await.expect_err("all are taken");
    assert_eq!(error.error_type(), "pool_timed_out");
    drop(_only_one);
    pool.close().await;
    let error = pool.acquire().await.expect_err("closed");
    assert_eq!(error.error_type(), "pool_closed");

    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(sqlx::Error::from(refused).error_type(), "io");
    assert_eq!(
        sqlx::Error::Protocol(String::new()).error_type(),
        "protocol"
    );
    assert_eq!(sqlx::Error::Tls("".into()).error_type(), "tls");
}

#[tokio::test]
#[test_fork::fork]
async fn a_query_of_sqlx_is_counted_by_its_error() {
    let telemetry = text_only().init().expect("telemetry starts");
    let pool = one_connection().await;
    let select = Query::new("select", "nowhere").system("sqlite");
    let failed = select.run(sqlx::query("SELECT * FROM nowhere").fetch_all(&pool));
    assert!(failed.await.is_err());
    let text = text();
    assert_samples(
        &text,
        "rustok_database_query_errors_total",
        &[(r#"{error_type="database",query_type="select"}"#, "1")],
    );
    let durations = samples(&text, "rustok_database_query_duration_seconds_count");
    assert_eq!(durations[r#"{query_type="select",table="nowhere"}"#], "1");
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn connections_are_read_from_the_pools() {
    let telemetry = text_only().init().expect("telemetry starts");
    let pool = one_connection().await;
    database::observe_sqlx_pool(&pool).detach();
    assert_connections("0", "1");

    install_default_drivers();
    let other: AnyPool = AnyPoolOptions::new()
        .max_connections(2)
        .connect("sqlite::memory:")
        .await
        .expect("another database");
    let reading = database::observe_sqlx_pool(&other);
    assert_connections("0", "2");
    let (one, two) = (pool.acquire().await, other.acquire().await);
    let (one, two) = (one.expect("a connection"), two.expect("a connection"));
    assert_connections("2", "0");
    drop(reading);
    assert_connections("1", "0");

    // A pool that is being closed counts until its last connection is gone.
    let mut closing = pin!(pool.close());
    poll_fn(|context| {
        assert!(closing.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    assert_connections("1", "0");
    drop((one, two));
    closing.await;
    assert_connections("0", "0");
    let _ = telemetry.shutdown();
}

/// The maintenance of a pool that everybody dropped is what sqlx ends by itself.
#[tokio::test]
#[test_fork::fork]
async fn a_closed_pool_is_let_go() {
    let telemetry = text_only().init().expect("telemetry starts");
    let pool = one_connection().await;
    let options = std::sync::Arc::downgrade(&pool.connect_options());
    database::observe_sqlx_pool(&pool).detach();
    pool.close().await;
    drop(pool);
    assert!(options.upgrade().is_some(), "the gauge holds the pool");
    text();
    assert!(options.upgrade().is_none(), "it does so no more");
    let _ = telemetry.shutdown();
}

/// The thread of sqlx for SQLite keeps a clone of the span of a query, and drops it a moment after the query has
/// returned. `SQLX_SPAN_RUNS` says how often the test is repeated.
#[cfg(feature = "testing")]
#[test_fork::test]
fn the_span_is_captured_when_the_query_is_done() {
    use rustok_telemetry::{instrument, testing};

    #[instrument(name = "stock.reserve", tenant_id = "acme")]
    async fn reserve(pool: &SqlitePool, card_number: i64) -> Result<(), sqlx::Error> {
        let query = sqlx::query("SELECT 1 WHERE 1 = ?").bind(card_number);
        let select = Query::new("select", "stock").system("sqlite");
        select.run(query.fetch_optional(pool)).await.map(drop)
    }

    let runs = std::env::var("SQLX_SPAN_RUNS").map_or(20, |runs| runs.parse().expect("a number"));
    for run in 0..runs {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let telemetry = testing::capture();
            let pool = one_connection().await;
            reserve(&pool, 4111).await.expect("a query");
            match run % 4 {
                0 => drop(telemetry.span("stock.reserve").assert_ok().clone()),
                1 => assert_eq!(telemetry.spans_named("stock.reserve").len(), 1),
                2 => drop(
                    telemetry
                        .metric("rustok_span_duration_seconds")
                        .with("operation", "stock.reserve")
                        .assert_count(1),
                ),
                _ => {
                    let spans = telemetry.spans();
                    assert_eq!(spans.len(), 2, "{spans:?}");
                }
            }
            telemetry.assert_nowhere("4111");
        });
    }
}

#[tokio::test]
#[test_fork::fork]
async fn one_call_at_the_end_records_a_query() {
    let _telemetry = text_only().init().expect("telemetry starts");
    let pool = one_connection().await;
    // Handlers of web frameworks run on any thread.
    let queries = tokio::spawn(async move {
        let create = sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
        create
            .execute(&pool)
            .measured_as("create", "orders")
            .await?;
        let insert = || sqlx::query("INSERT INTO orders VALUES (?)").bind(1);
        insert()
            .execute(&pool)
            .measured_as("insert", "orders")
            .await?;
        insert()
            .execute(&pool)
            .measured_as("insert", "orders")
            .await
    });
    let result: Result<_, sqlx::Error> = queries.await.expect("no panic");
    assert!(result.is_err(), "the second one has the same key");
    let count = "rustok_database_query_duration_seconds_count";
    let expected = [
        (r#"{query_type="create",table="orders"}"#, "1"),
        (r#"{query_type="insert",table="orders"}"#, "2"),
    ];
    assert_samples(&text(), count, &expected);
    let errors = [(
        r#"{error_type="unique_violation",query_type="insert"}"#,
        "1",
    )];
    assert_samples(&text(), "rustok_database_query_errors_total", &errors);
}
