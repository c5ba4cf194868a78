//! A pool of sqlx and its transactions, which measure each query.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use futures_core::{future::BoxFuture, stream::BoxStream};
use sqlx::{Database, Describe, Either, Error, Execute, Executor, Pool, SqlStr, Transaction};

use super::{labelled::Labelled, observe_sqlx_pool};
use crate::metrics::ObserverGuard;

/// A pool of sqlx that measures each query, and whose connections are in the gauges
/// `rustok_database_connections{state}`.
///
/// Queries are executed on `&InstrumentedPool` as on `&Pool`, and each is recorded as by
/// [`Query::run`](crate::database::Query::run). Its query type and table are derived from the beginning of the SQL, as
/// by [`record_statement`](crate::database::record_statement); neither the SQL nor a value is recorded. At most 50
/// tables of the process have names, the others are `other`.
///
/// ```no_run
/// use rustok_telemetry::database::InstrumentedPool;
/// use sqlx::{Sqlite, SqlitePool};
///
/// struct AppState { pool: InstrumentedPool<Sqlite> }
///
/// # async fn example() -> Result<(), sqlx::Error> {
/// let pool = SqlitePool::connect("sqlite:shop.db").await?;
/// let state = AppState { pool: InstrumentedPool::new(pool) };
/// let names: Vec<String> = sqlx::query_scalar("SELECT name FROM products")
///     .fetch_all(&state.pool) // SELECT products
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// - A stream is measured from its first poll to its end. Dropping it earlier cancels the query.
/// - What sqlx does with the rows afterwards is not part of the query: a missing row is no error of `fetch_one`, and a
///   value that cannot be decoded cancels the stream of `fetch_all`.
/// - Nothing takes it for sqlx's pool, whose queries are not measured: a function that takes `&SqlitePool` does not
///   compile. [`as_sqlx`](Self::as_sqlx) returns that pool, for example for migrations.
///
/// ```compile_fail
/// # use rustok_telemetry::database::InstrumentedPool;
/// async fn names(pool: &sqlx::SqlitePool) {}
/// # async fn example(pool: InstrumentedPool<sqlx::Sqlite>) {
/// names(&pool).await;
/// # }
/// ```
///
/// Clones share the gauges, which end with the last clone.
#[derive(Debug)]
pub struct InstrumentedPool<DB: Database> {
    pool: Pool<DB>,
    gauges: Arc<ObserverGuard>,
}

impl<DB: Database> InstrumentedPool<DB> {
    /// Wraps a pool, and adds its connections to the gauges.
    #[track_caller]
    pub fn new(pool: Pool<DB>) -> Self {
        let gauges = Arc::new(observe_sqlx_pool(&pool));
        Self { pool, gauges }
    }

    /// Begins a transaction whose queries are measured. `BEGIN`, `COMMIT` and `ROLLBACK` are not.
    pub async fn begin(&self) -> Result<InstrumentedTransaction<DB>, Error> {
        let transaction = self.pool.begin().await?;
        Ok(InstrumentedTransaction(InstrumentedConnection(transaction)))
    }

    /// Closes the pool, as [`Pool::close`] does.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Returns the pool of sqlx, whose queries are not measured.
    pub fn as_sqlx(&self) -> &Pool<DB> {
        &self.pool
    }
}

impl<DB: Database> Clone for InstrumentedPool<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            gauges: Arc::clone(&self.gauges),
        }
    }
}

impl<DB: Database> From<Pool<DB>> for InstrumentedPool<DB> {
    #[track_caller]
    fn from(pool: Pool<DB>) -> Self {
        Self::new(pool)
    }
}

/// A transaction of an [`InstrumentedPool`].
///
/// Its queries run on `&mut *transaction`, as with sqlx. It is rolled back if it is dropped without
/// [`commit`](Self::commit).
///
/// ```no_run
/// # use rustok_telemetry::database::InstrumentedPool;
/// # async fn example(pool: &InstrumentedPool<sqlx::Sqlite>) -> Result<(), sqlx::Error> {
/// let mut transaction = pool.begin().await?;
/// sqlx::query("UPDATE products SET stock = stock - 1").execute(&mut *transaction).await?;
/// transaction.commit().await
/// # }
/// ```
#[derive(Debug)]
pub struct InstrumentedTransaction<DB: Database>(InstrumentedConnection<DB>);

impl<DB: Database> InstrumentedTransaction<DB> {
    /// Commits the transaction.
    pub async fn commit(self) -> Result<(), Error> {
        self.0.0.commit().await
    }

    /// Rolls the transaction back.
    pub async fn rollback(self) -> Result<(), Error> {
        self.0.0.rollback().await
    }
}

impl<DB: Database> Deref for InstrumentedTransaction<DB> {
    type Target = InstrumentedConnection<DB>;

    fn deref(&self) -> &InstrumentedConnection<DB> {
        &self.0
    }
}

impl<DB: Database> DerefMut for InstrumentedTransaction<DB> {
    fn deref_mut(&mut self) -> &mut InstrumentedConnection<DB> {
        &mut self.0
    }
}

/// The connection of an [`InstrumentedTransaction`], for functions that take `&mut SqliteConnection` with sqlx.
///
/// ```no_run
/// # use rustok_telemetry::database::InstrumentedPool;
/// type SqliteConnection = rustok_telemetry::database::InstrumentedConnection<sqlx::Sqlite>;
///
/// async fn sell(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
///     sqlx::query("UPDATE products SET stock = stock - 1").execute(connection).await?;
///     Ok(())
/// }
///
/// # async fn example(pool: &InstrumentedPool<sqlx::Sqlite>) -> Result<(), sqlx::Error> {
/// let mut transaction = pool.begin().await?;
/// sell(&mut transaction).await?;
/// transaction.commit().await
/// # }
/// ```
#[derive(Debug)]
pub struct InstrumentedConnection<DB: Database>(Transaction<'static, DB>);

impl<DB: Database> InstrumentedConnection<DB> {
    /// Returns the connection of sqlx, whose queries are not measured.
    pub fn as_sqlx(&mut self) -> &mut DB::Connection {
        &mut self.0
    }
}

/// Implements `Executor` by that of `inner`. The provided methods of `Executor` call these.
macro_rules! executor {
    ($outer:ty, $inner:expr) => {
        impl<'c, DB: Database> Executor<'c> for $outer
        where
            for<'a> &'a mut DB::Connection: Executor<'a, Database = DB>,
        {
            type Database = DB;

            fn fetch_many<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxStream<'e, Result<Either<DB::QueryResult, DB::Row>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                let query = Labelled::new(query);
                let labels = query.labels;
                Box::pin(labels.run_stream($inner(self).fetch_many(query)))
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                let query = Labelled::new(query);
                let labels = query.labels;
                Box::pin(labels.run($inner(self).fetch_optional(query)))
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [DB::TypeInfo],
            ) -> BoxFuture<'e, Result<DB::Statement, Error>>
            where
                'c: 'e,
            {
                $inner(self).prepare_with(sql, parameters)
            }

            #[doc(hidden)]
            fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
            where
                'c: 'e,
            {
                $inner(self).describe(sql)
            }
        }
    };
}

executor!(&'_ InstrumentedPool<DB>, pool);
executor!(&'c mut InstrumentedConnection<DB>, connection);

fn pool<DB: Database>(outer: &InstrumentedPool<DB>) -> &Pool<DB> {
    &outer.pool
}

fn connection<DB: Database>(outer: &mut InstrumentedConnection<DB>) -> &mut DB::Connection {
    &mut outer.0
}
