//! Spans and metrics of database queries, and metrics of connection pools.
//!
//! [`query`] runs a query in a span, and records its duration and outcome:
//!
//! ```
//! use rustok_telemetry::{ErrorType, database};
//!
//! # #[derive(Debug, ErrorType)]
//! # enum Error { Unreachable }
//! # async fn fetch_all(sql: &str) -> Result<Vec<String>, Error> { Ok(vec![sql.to_owned()]) }
//! async fn products() -> Result<Vec<String>, Error> {
//!     database::query("select", "products", async {
//!         fetch_all("SELECT name FROM products WHERE tenant_id = $1").await
//!     })
//!     .await
//! }
//! ```
//!
//! # What is recorded
//!
//! - `rustok_database_query_duration_seconds{query_type,table}`: every query that was started, whatever its outcome;
//! - `rustok_database_query_errors_total{query_type,error_type}`: queries that returned an error or panicked;
//! - `rustok_database_connections{state}`: connections of the observed [pools](observe_pool);
//! - a span `db.query`, exported with the name `SELECT products`.
//!
//! The text of the query and its parameters are never recorded.
//!
//! # Drivers
//!
//! - Any driver: [`query`], [`QueryExt`], [`Query`] and [`observe_pool`].
//! - sqlx, with the Cargo feature `sqlx`: `InstrumentedPool`, which measures each query by itself,
//!   `observe_sqlx_pool`, and an [`ErrorType`](crate::ErrorType) for `sqlx::Error`.
//! - SeaORM and other libraries with a hook after each statement, with the Cargo feature `sql`: `record_statement`.

mod pool;
mod query;
#[cfg(feature = "sqlx")]
mod sqlx;
#[cfg(feature = "sql")]
mod statement;

pub use self::{
    pool::{PoolState, observe_pool},
    query::{Query, QueryExt, query},
};

#[cfg(feature = "sql")]
pub use self::statement::record_statement;

#[cfg(feature = "sqlx")]
pub use self::sqlx::{
    InstrumentedConnection, InstrumentedPool, InstrumentedTransaction, observe_sqlx_pool,
};
