//! A pool of sqlx that measures each query, with a real database.
#![cfg(all(feature = "sqlx", feature = "testing"))]

mod support;

use std::{pin::pin, time::Duration};

use futures::{StreamExt, TryStreamExt};
use rustok_telemetry::{
    database::{InstrumentedConnection, InstrumentedPool},
    testing::{Capture, capture},
};
use sqlx::{
    Any, AssertSqlSafe, ConnectOptions, Connection, Encode, Executor, Sqlite, SqlitePool,
    Statement, Type,
    any::{AnyPoolOptions, install_default_drivers},
    encode::IsNull,
    error::BoxDynError,
    sqlite::{SqliteArgumentsBuffer, SqliteConnectOptions, SqlitePoolOptions, SqliteTypeInfo},
};
use support::{assert_samples, text, text_only};

const ERRORS: &str = "rustok_database_query_errors_total";

/// A database with two products, in memory, on one connection. The log of sqlx, which has the SQL, is off.
async fn shop() -> SqlitePool {
    let options = SqliteConnectOptions::new().disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options)
        .await
        .expect("a database");
    let schema = "CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT); \
                  INSERT INTO products VALUES (1, 'lamp'), (2, 'desk')";
    pool.execute(schema).await.expect("a schema");
    pool
}

#[track_caller]
fn assert_count(telemetry: &Capture, kind: &str, table: &str, expected: u64) {
    let durations = telemetry.metric("rustok_database_query_duration_seconds");
    durations
        .with("query_type", kind)
        .with("table", table)
        .assert_count(expected);
}

#[tokio::test]
async fn each_method_measures_one_query() -> Result<(), sqlx::Error> {
    const SQL: &str = "SELECT id FROM products ORDER BY id";
    let pool = InstrumentedPool::new(shop().await);
    let telemetry = capture();
    let mut queries = 0;
    let mut measured = || {
        queries += 1;
        assert_count(&telemetry, "select", "products", queries);
    };

    assert_eq!(sqlx::query(SQL).fetch_all(&pool).await?.len(), 2);
    measured();
    sqlx::query(SQL).fetch_one(&pool).await?;
    measured();
    assert!(sqlx::query(SQL).fetch_optional(&pool).await?.is_some());
    measured();
    assert_eq!(sqlx::query(SQL).fetch(&pool).count().await, 2);
    measured();
    sqlx::query(SQL).execute(&pool).await?;
    measured();
    let ids: Vec<(i64,)> = sqlx::query_as(SQL).fetch_all(&pool).await?;
    assert_eq!(ids, [(1,), (2,)]);
    measured();
    let id: (i64,) = sqlx::query_as(SQL).fetch_one(&pool).await?;
    assert_eq!(id, (1,));
    measured();
    let ids: Vec<i64> = sqlx::query_scalar(SQL).fetch_all(&pool).await?;
    assert_eq!(ids, [1, 2]);
    measured();
    let id: Option<i64> = sqlx::query_scalar(SQL).fetch_optional(&pool).await?;
    assert_eq!(id, Some(1));
    measured();
    assert_eq!((&pool).fetch_many(SQL).count().await, 3, "rows and the end");
    measured();
    assert_eq!((&pool).execute_many(SQL).count().await, 1);
    measured();
    sqlx::raw_sql(SQL).fetch_all(&pool).await?;
    measured();
    let owned = AssertSqlSafe(format!("{SQL} DESC"));
    let ids: Vec<i64> = sqlx::query_scalar(owned).fetch_all(&pool).await?;
    assert_eq!(ids, [2, 1]);
    measured();

    let sql = "SELECT id FROM products WHERE id = 9";
    let missing = sqlx::query(sql).fetch_one(&pool).await;
    assert!(matches!(missing, Err(sqlx::Error::RowNotFound)));
    measured();
    assert_eq!(telemetry.spans_named("SELECT products").len(), 14);
    telemetry.metric(ERRORS).assert_absent();
    Ok(())
}

#[tokio::test]
async fn a_span_has_labels_and_no_sql() {
    let pool = InstrumentedPool::from(shop().await);
    let telemetry = capture();
    let insert = sqlx::query("INSERT INTO products (id, name) VALUES (1, ?) /* hidden */");
    let error = insert.bind("hunter2").execute(&pool).await;
    assert!(
        error
            .expect_err("the key exists")
            .as_database_error()
            .is_some()
    );
    telemetry
        .span("INSERT products")
        .assert_error("unique_violation")
        .assert_attribute("db.operation.name", "INSERT")
        .assert_attribute("db.collection.name", "products")
        .assert_attribute("db.system.name", "sqlite");
    telemetry
        .metric(ERRORS)
        .with("query_type", "insert")
        .with("error_type", "unique_violation")
        .assert_value(1.0);
    telemetry.assert_nowhere("hunter2");
    telemetry.assert_nowhere("hidden");
}

#[tokio::test]
async fn what_the_sql_does_not_tell_is_other_or_none() -> Result<(), sqlx::Error> {
    let pool = InstrumentedPool::new(shop().await);
    let telemetry = capture();
    let subquery = "SELECT id FROM (SELECT id FROM products)";
    sqlx::query(subquery).fetch_all(&pool).await?;
    assert_count(&telemetry, "select", "other", 1);
    let span = telemetry.span("SELECT");
    span.assert_ok().assert_no_attribute("db.collection.name");

    sqlx::query("PRAGMA foreign_keys").fetch_all(&pool).await?;
    assert_count(&telemetry, "other", "other", 1);
    let span = telemetry.span("sqlite");
    span.assert_ok().assert_no_attribute("db.operation.name");

    sqlx::query("SELECT 1").fetch_all(&pool).await?;
    assert_count(&telemetry, "select", "none", 1);
    Ok(())
}

#[tokio::test]
async fn dropped_futures_and_streams_are_cancelled() -> Result<(), sqlx::Error> {
    let pool = InstrumentedPool::new(shop().await);
    let telemetry = capture();
    let ids = "SELECT id FROM products";
    drop(sqlx::query(ids).fetch(&pool));
    drop(sqlx::query(ids).fetch_optional(&pool));
    assert_eq!(telemetry.spans().len(), 0, "they were never polled");

    let only_one = pool.as_sqlx().acquire().await?;
    let waits = sqlx::query(ids).fetch_optional(&pool);
    assert!(futures::poll!(pin!(waits)).is_pending());
    let span = telemetry.span("SELECT products");
    span.assert_cancelled();
    drop(only_one);

    let mut rows = sqlx::query(ids).fetch(&pool);
    assert!(rows.try_next().await?.is_some());
    assert_count(&telemetry, "select", "products", 1);
    drop(rows);
    assert_count(&telemetry, "select", "products", 2);
    telemetry.spans_named("SELECT products")[1].assert_cancelled();
    telemetry.metric(ERRORS).assert_absent();

    // Of several statements in one text, the second fails. The first error is the outcome.
    let both = "SELECT id FROM products; SELECT id FROM nowhere";
    let results: Vec<_> = sqlx::raw_sql(both).fetch(&pool).collect().await;
    assert_eq!(results.len(), 3);
    telemetry.spans_named("SELECT products")[2].assert_error("database");
    assert_count(&telemetry, "select", "products", 3);
    Ok(())
}

#[tokio::test]
async fn queries_of_a_transaction_are_measured() -> Result<(), sqlx::Error> {
    async fn rename<'c>(name: &str, executor: impl Executor<'c, Database = Sqlite>) {
        let update = sqlx::query("UPDATE products SET name = ? WHERE id = 1").bind(name.to_owned());
        update.execute(executor).await.expect("an update");
    }
    async fn rename_on(name: &str, connection: &mut InstrumentedConnection<Sqlite>) {
        rename(name, connection).await;
    }
    async fn name(pool: &InstrumentedPool<Sqlite>) -> Result<String, sqlx::Error> {
        let name = sqlx::query_scalar("SELECT name FROM products WHERE id = 1");
        name.fetch_one(pool).await
    }

    let pool = InstrumentedPool::new(shop().await);
    let telemetry = capture();
    let mut transaction = pool.begin().await?;
    rename("globe", &mut *transaction).await;
    let rows = sqlx::query("SELECT name FROM products");
    assert_eq!(rows.fetch_all(&mut *transaction).await?.len(), 2);
    transaction.commit().await?;
    assert_eq!(name(&pool).await?, "globe");

    let mut transaction = pool.begin().await?;
    rename_on("vase", &mut transaction).await;
    transaction.rollback().await?;
    assert_eq!(name(&pool).await?, "globe");

    let mut transaction = pool.begin().await?;
    rename("sofa", &mut *transaction).await;
    drop(transaction);
    assert_eq!(name(&pool).await?, "globe");

    assert_count(&telemetry, "update", "products", 3);
    assert_count(&telemetry, "select", "products", 4);
    assert_eq!(telemetry.spans().len(), 7);
    Ok(())
}

#[tokio::test]
async fn a_closed_pool_refuses_queries() {
    let pool = InstrumentedPool::new(shop().await);
    pool.close().await;
    let refused = sqlx::query("SELECT id FROM products").fetch_one(&pool);
    assert!(matches!(refused.await, Err(sqlx::Error::PoolClosed)));
}

/// A value that cannot be encoded.
struct Unencodable;

impl Type<Sqlite> for Unencodable {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Unencodable {
    fn encode_by_ref(&self, _: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Err("not today".into())
    }
}

#[tokio::test]
async fn the_query_arrives_as_it_was_built() -> Result<(), sqlx::Error> {
    const SQL: &str = "SELECT name FROM products WHERE id = ?";
    async fn cached(pool: &SqlitePool) -> Result<usize, sqlx::Error> {
        Ok(pool.acquire().await?.cached_statements_size())
    }

    let pool = InstrumentedPool::new(shop().await);
    let telemetry = capture();
    let before = cached(pool.as_sqlx()).await?;
    let once = sqlx::query_scalar(SQL).bind(2).persistent(false);
    let name: String = once.fetch_one(&pool).await?;
    assert_eq!(
        (name.as_str(), cached(pool.as_sqlx()).await?),
        ("desk", before)
    );
    let often = sqlx::query_scalar(SQL).bind(1);
    let name: String = often.fetch_one(&pool).await?;
    assert_eq!(
        (name.as_str(), cached(pool.as_sqlx()).await?),
        ("lamp", before + 1)
    );

    let statement = (&pool).prepare(sqlx::SqlSafeStr::into_sql_str(SQL)).await?;
    let name: String = statement.query_scalar().bind(2).fetch_one(&pool).await?;
    assert_eq!(name, "desk");
    assert_count(&telemetry, "select", "products", 3);

    let failed = sqlx::query(SQL).bind(Unencodable).fetch_all(&pool).await;
    assert!(matches!(failed, Err(sqlx::Error::Encode(_))), "{failed:?}");
    let failed = sqlx::query(SQL)
        .bind(Unencodable)
        .fetch_optional(&pool)
        .await;
    assert!(matches!(failed, Err(sqlx::Error::Encode(_))));
    let errors = telemetry.metric(ERRORS).with("error_type", "encode");
    errors.assert_value(2.0);
    Ok(())
}

/// Handlers of web frameworks run on any thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn queries_run_in_spawned_tasks() -> Result<(), sqlx::Error> {
    async fn first(pool: &InstrumentedPool<Any>) -> Result<String, sqlx::Error> {
        let name = sqlx::query_scalar("SELECT name FROM products LIMIT 1");
        name.fetch_one(pool).await
    }

    let telemetry = text_only().init().expect("telemetry starts");
    install_default_drivers();
    let options = AnyPoolOptions::new().max_connections(1);
    let pool: InstrumentedPool<Any> = options.connect("sqlite::memory:").await?.into();
    let task = tokio::spawn(async move {
        let mut transaction = pool.begin().await?;
        let create = "CREATE TABLE products (name TEXT)";
        sqlx::query(create).execute(&mut *transaction).await?;
        let insert = sqlx::query("INSERT INTO products VALUES (?)").bind("lamp");
        insert.execute(&mut *transaction).await?;
        transaction.commit().await?;
        let mut names = sqlx::query("SELECT name FROM products").fetch(&pool);
        while names.try_next().await?.is_some() {}
        drop(names);
        first(&pool).await
    });
    assert_eq!(task.await.expect("no panic")?, "lamp");
    let expected = [
        (r#"{query_type="insert",table="products"}"#, "1"),
        (r#"{query_type="other",table="other"}"#, "1"),
        (r#"{query_type="select",table="products"}"#, "2"),
    ];
    assert_samples(
        &text(),
        "rustok_database_query_duration_seconds_count",
        &expected,
    );
    let _ = telemetry.shutdown();
    Ok(())
}

#[tokio::test]
async fn a_measured_query_allocates_its_box() {
    const SQL: &str = "SELECT name FROM products";
    let pool = InstrumentedPool::new(shop().await);
    let count = |query: &dyn Fn()| {
        query(); // the first query keeps the name of the table
        allocation_counter::measure(query).count_total
    };
    let measured = count(&|| drop((&pool).fetch_optional(SQL)));
    assert_eq!(
        measured,
        count(&|| drop(pool.as_sqlx().fetch_optional(SQL))) + 1
    );
    let measured = count(&|| drop((&pool).fetch_many(SQL)));
    assert_eq!(
        measured,
        count(&|| drop(pool.as_sqlx().fetch_many(SQL))) + 1
    );
}

#[tokio::test]
#[test_fork::fork]
async fn the_last_clone_ends_the_gauges() {
    let active = |active| {
        let expected = [(r#"{state="active"}"#, active), (r#"{state="idle"}"#, "0")];
        assert_samples(&text(), "rustok_database_connections", &expected);
    };
    let telemetry = text_only().init().expect("telemetry starts");
    let pool = InstrumentedPool::new(shop().await);
    let _held = pool.as_sqlx().acquire().await.expect("a connection");
    active("1");
    let clone = pool.clone();
    drop(pool);
    active("1");
    drop(clone);
    active("0");
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn tables_beyond_the_budget_are_other() {
    let pool = InstrumentedPool::new(shop().await);
    let telemetry = capture();
    for round in 1..=2 {
        for table in 0..60 {
            let sql = AssertSqlSafe(format!("SELECT 1 FROM t{table}"));
            assert!(sqlx::query(sql).execute(&pool).await.is_err());
        }
        assert_eq!(telemetry.spans_named("SELECT t49").len(), round);
        assert_eq!(telemetry.spans_named("SELECT").len(), 10 * round);
    }
}
