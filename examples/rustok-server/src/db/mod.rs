//! The database: one set of queries for the embedded SQLite and for PostgreSQL.
//!
//! Every query goes through [`Database::run`], which gives it a span, times it, counts its
//! errors and keeps the gauge of connections true. The queries themselves are in one file for
//! each table.

mod audit;
mod error;
mod location;
mod migrations;
mod orders;
mod products;
mod search;
mod tenants;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustok_telemetry::metrics;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::time::timeout;
use tracing::Instrument;
use tracing::field::Empty;

use crate::errors::{Exit, Fatal};

pub use audit::AuditEntry;
pub use error::DbError;
pub use location::Location;

/// Connections at most. SQLite writes one at a time, but reads in parallel.
const MAX_CONNECTIONS: u32 = 8;
/// How long a query waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A query's place in the metrics: what it does, and to which table.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// `select`, `insert`, `update` or `delete`.
    pub kind: &'static str,
    /// The table that it is about.
    pub table: &'static str,
    /// What both make together: the span's name.
    pub name: &'static str,
}

/// A pool of connections. Clones share it.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    system: &'static str,
}

impl Database {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// When the file can't be used or the server can't be reached, with what to check.
    pub async fn open(location: &Location) -> Result<Self, Fatal> {
        install_default_drivers();
        location.check()?;
        prepare(location).await?;
        let embedded = location.is_embedded();
        let pool = AnyPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if embedded {
                        sqlx::raw_sql("PRAGMA synchronous = NORMAL")
                            .execute(connection)
                            .await?;
                    }
                    Ok(())
                })
            })
            .connect(location.url())
            .await
            .map_err(|error| cannot_open(location, &error))?;
        Ok(Self {
            pool,
            system: location.system(),
        })
    }

    /// Runs one query: span, duration, errors, connections.
    ///
    /// # Errors
    /// The query's own.
    pub async fn run<T>(
        &self,
        query: Query,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        let span = tracing::info_span!(
            "db.query",
            otel.name = query.name,
            otel.kind = "client",
            db.system.name = self.system,
            db.operation.name = query.kind,
            db.collection.name = query.table,
            otel.status_code = Empty,
            error.type = Empty,
        );
        let started = Instant::now();
        let outcome = work.instrument(span.clone()).await.map_err(DbError::from);
        metrics::record_db_query_duration(query.kind, query.table, started.elapsed().as_secs_f64());
        if let Err(error) = &outcome {
            span.record("error.type", error.kind());
            span.record("otel.status_code", "ERROR");
            metrics::record_db_query_error(query.kind, error.kind());
        }
        self.report_connections();
        outcome
    }

    /// Sets the gauges of active and idle connections.
    pub fn report_connections(&self) {
        let idle = i64::try_from(self.pool.num_idle()).unwrap_or(i64::MAX);
        let active = i64::from(self.pool.size()).saturating_sub(idle).max(0);
        metrics::update_db_connections("active", active);
        metrics::update_db_connections("idle", idle);
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Why it doesn't.
    pub async fn ping(&self) -> Result<(), DbError> {
        let query = Query {
            kind: "select",
            table: "none",
            name: "SELECT 1",
        };
        self.run(query, sqlx::query("SELECT 1").execute(&self.pool))
            .await
            .map(drop)
    }

    /// Closes all connections, once they are idle.
    pub async fn close(&self) {
        self.pool.close().await;
        self.report_connections();
    }
}

/// Milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// Brings the database up to date, on a connection of its own. A pool would try again and
/// again, and say in the end only that the time was up.
async fn prepare(location: &Location) -> Result<(), Fatal> {
    // Another instance may be making the same database at this moment.
    let _one_at_a_time = location.lock().await?;
    let failed = |error| cannot_open(location, &error);
    let connecting = timeout(ACQUIRE_TIMEOUT, AnyConnection::connect(location.url()));
    let connected = connecting.await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let mut connection = connected.map_err(failed)?;
    if location.is_embedded() {
        // Readers and the writer don't wait for each other. The file remembers it.
        let pragma = sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut connection);
        pragma.await.map_err(failed)?;
    }
    migrations::run(&mut connection, location).await?;
    connection.close().await.map_err(failed)
}

fn cannot_open(location: &Location, error: &sqlx::Error) -> Fatal {
    let (exit, hint) = match (location.is_embedded(), error) {
        (_, sqlx::Error::Configuration(_)) => (Exit::Config, "check the address"),
        (true, _) => (
            Exit::Io,
            "it must be a SQLite database that this user may write",
        ),
        (false, _) => (
            Exit::Unavailable,
            "check that the server runs, and the user and password",
        ),
    };
    Fatal::new(
        exit,
        format!(
            "database {location} can't be opened: {}; {hint}",
            error::reason(error)
        ),
    )
}
