//! Database errors, by kind: the kind is the label `error_type`.

use rustok_telemetry::ErrorType;

/// A failed query.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct DbError {
    kind: &'static str,
    message: String,
}

impl DbError {
    /// A short, stable name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether a row like this one exists already.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        self.kind == "unique_violation"
    }

    /// Whether the database as a whole can't be used, so that trying again later may help.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind, "pool_timed_out" | "pool_closed" | "io" | "tls")
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        Self {
            kind: error.error_type(),
            message: reason(&error),
        }
    }
}

/// What the driver says, in one line.
pub(super) fn reason(error: &sqlx::Error) -> String {
    let text = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Configuration(error) => error.to_string(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::PoolTimedOut => "no answer in time".to_owned(),
        other => other.to_string(),
    };
    text.lines().collect::<Vec<_>>().join(" ")
}
