//! Queries and pools of a database.
//!
//! A query gets a span, its duration and, if it fails, its kind of error:
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
//! - `rustok_database_query_duration_seconds{query_type,table}`, for every query that has begun, however it ended;
//! - `rustok_database_query_errors_total{query_type,error_type}`, for one that returned an error or panicked;
//! - `rustok_database_connections{state}`, read at each collection, for [pools](observe_pool);
//! - a span `db.query`, shown as `SELECT products` in the traces.
//!
//! Neither the SQL nor its values are recorded anywhere.
//!
//! # Drivers
//!
//! - Any: [`query`] and [`Query`], [`observe_pool`].
//! - sqlx, with the feature `sqlx`: names of [`sqlx::Error`](crate::ErrorType), and `observe_sqlx_pool`.
//! - SeaORM and others that call back after each statement: [`record_statement`].

mod pool;
mod query;
#[cfg(feature = "sqlx")]
mod sqlx;
mod statement;

pub use self::{
    pool::{PoolState, observe_pool},
    query::{Query, query},
    statement::record_statement,
};

#[cfg(feature = "sqlx")]
pub use self::sqlx::observe_sqlx_pool;
