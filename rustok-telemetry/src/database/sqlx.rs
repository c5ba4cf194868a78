//! Error types and pools of sqlx.

mod instrumented;
mod labelled;

use sqlx::{Database, Error, Pool, error::ErrorKind};

pub use self::instrumented::{InstrumentedConnection, InstrumentedPool, InstrumentedTransaction};
use super::{PoolState, observe_pool};
use crate::{ErrorType, metrics::ObserverGuard};

/// Adds a pool of sqlx to the gauges `rustok_database_connections{state}`, as [`observe_pool`] does. An
/// [`InstrumentedPool`] does so itself.
///
/// sqlx has no weak handle to a pool, so the callback owns a clone of the pool and keeps it open. After `Pool::close`
/// the callback is unregistered once the last connection is gone. Call [`ObserverGuard::detach`] for a pool that is
/// closed explicitly or lives as long as the process; otherwise store the [`ObserverGuard`] beside the pool, and drop
/// both together.
///
/// ```no_run
/// # async fn example() -> Result<(), sqlx::Error> {
/// let pool = sqlx::SqlitePool::connect("sqlite:shop.db").await?;
/// rustok_telemetry::database::observe_sqlx_pool(&pool).detach();
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn observe_sqlx_pool<DB: Database>(pool: &Pool<DB>) -> ObserverGuard {
    let pool = pool.clone();
    observe_pool(move || {
        if pool.is_closed() && pool.size() == 0 {
            return None;
        }
        let all = u64::from(pool.size());
        // The two reads are not atomic together.
        let idle = (pool.num_idle() as u64).min(all);
        Some(PoolState {
            active: all - idle,
            idle,
        })
    })
}

/// The error types of sqlx, such as `pool_timed_out`, `row_not_found` and `unique_violation`. An error of the database
/// that sqlx does not classify is `database`; variants of newer sqlx versions are `other`.
impl ErrorType for Error {
    fn error_type(&self) -> &'static str {
        match self {
            Self::Configuration(_) => "configuration",
            Self::InvalidArgument(_) => "invalid_argument",
            Self::Database(error) => database(&error.kind()),
            Self::Io(_) => "io",
            Self::Tls(_) => "tls",
            Self::Protocol(_) => "protocol",
            Self::RowNotFound => "row_not_found",
            Self::TypeNotFound { .. } => "type_not_found",
            Self::ColumnIndexOutOfBounds { .. } | Self::ColumnNotFound(_) => "column_not_found",
            Self::Encode(_) => "encode",
            Self::ColumnDecode { .. } | Self::Decode(_) | Self::AnyDriverError(_) => "decode",
            Self::PoolTimedOut => "pool_timed_out",
            Self::PoolClosed => "pool_closed",
            Self::WorkerCrashed => "worker_crashed",
            Self::InvalidSavePointStatement | Self::BeginFailed => "transaction",
            _ => "other",
        }
    }
}

fn database(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UniqueViolation => "unique_violation",
        ErrorKind::ForeignKeyViolation => "foreign_key_violation",
        ErrorKind::NotNullViolation => "not_null_violation",
        ErrorKind::CheckViolation => "check_violation",
        ErrorKind::ExclusionViolation => "exclusion_violation",
        _ => "database",
    }
}
