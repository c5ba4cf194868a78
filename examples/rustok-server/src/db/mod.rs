//! The database: one set of queries for the embedded SQLite and for PostgreSQL.
//!
//! Every query goes through [`Database::run`], which gives it a span, times it and counts its
//! errors. The gauges of connections are read from the pool. The queries themselves are in one
//! file for each table.

mod audit;
mod error;
mod location;
mod migrations;
mod orders;
mod products;
mod search;
mod tenants;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustok_telemetry::database::{self, Query};
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::time::timeout;

use crate::errors::{Exit, Fatal};
use crate::faults::Faults;

pub use audit::AuditEntry;
pub use error::DbError;
pub use location::Location;

/// Connections at most. SQLite writes one at a time, but reads in parallel.
const MAX_CONNECTIONS: u32 = 8;
/// How long a query waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A pool of connections. Clones share it.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    system: &'static str,
    faults: Faults,
}

impl Database {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// When the file can't be used or the server can't be reached, with what to check.
    pub async fn open(location: &Location, faults: Faults) -> Result<Self, Fatal> {
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
                        // By default, each connection keeps pages of 2 MB.
                        let settings = "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -256";
                        sqlx::raw_sql(settings).execute(connection).await?;
                    }
                    Ok(())
                })
            })
            .connect(location.url())
            .await
            .map_err(|error| cannot_open(location, &error))?;
        // Until the pool is closed.
        database::observe_sqlx_pool(&pool).detach();
        Ok(Self {
            pool,
            system: location.system(),
            faults,
        })
    }

    /// Runs one query: span, duration, errors.
    ///
    /// # Errors
    /// The query's own.
    pub async fn run<T>(
        &self,
        query: Query,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        let work = async {
            self.faults.before_query(&self.pool).await?;
            work.await
        };
        Ok(query.system(self.system).run(work).await?)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Why it doesn't.
    pub async fn ping(&self) -> Result<(), DbError> {
        let query = Query::new("select", "").summary("SELECT 1");
        self.run(query, sqlx::query("SELECT 1").execute(&self.pool))
            .await
            .map(drop)
    }

    /// Closes all connections, once they are idle.
    pub async fn close(&self) {
        self.pool.close().await;
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
