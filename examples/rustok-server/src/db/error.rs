//! Database errors, by kind: the kind is the label `error_type`.

use sqlx::error::ErrorKind;

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
        matches!(self.kind, "pool_timeout" | "pool_closed" | "io")
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        Self {
            kind: kind(&error),
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

fn kind(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Database(error) => match error.kind() {
            ErrorKind::UniqueViolation => "unique_violation",
            ErrorKind::ForeignKeyViolation => "foreign_key_violation",
            ErrorKind::NotNullViolation => "not_null_violation",
            ErrorKind::CheckViolation => "check_violation",
            _ => "database",
        },
        sqlx::Error::RowNotFound => "row_not_found",
        sqlx::Error::PoolTimedOut => "pool_timeout",
        sqlx::Error::PoolClosed => "pool_closed",
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => "io",
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => "decode",
        _ => "other",
    }
}
