//! What can go wrong, told once: to the caller, to the metrics and to the operator.
//!
//! [`Error`] is what a request can end with; [`report`] counts it. [`Fatal`] is what stops
//! the process.

use std::fmt::{self, Display};
use std::process::ExitCode;

use ::http::StatusCode;
use rustok_telemetry::{ErrorType, metrics};

use crate::db::DbError;
use crate::faults::Fault;
use crate::inventory::InventoryError;

/// Why a request wasn't served.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The request doesn't say which tenant it is for.
    #[error("the header x-tenant-id is missing; give the id of a tenant, for example acme")]
    TenantMissing,
    /// The request is for a tenant that doesn't exist.
    #[error("there is no tenant `{0}`")]
    TenantUnknown(String),
    /// The request can't be read, for example because its JSON is broken.
    #[error("{0}")]
    Unreadable(String),
    /// Values in the request aren't right.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// What the request names doesn't exist.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its id, as it was given.
        id: String,
    },
    /// There is no such drill.
    #[error("there is no drill `{0}`; there are {names}", names = Fault::ALL.map(Fault::name).join(", "))]
    DrillUnknown(String),
    /// A product with this SKU exists already.
    #[error("there is a product with the SKU `{0}` already")]
    SkuTaken(String),
    /// There isn't enough stock.
    #[error("only {available} left, {wanted} wanted")]
    OutOfStock {
        /// How many were wanted.
        wanted: i64,
        /// How many there are.
        available: i64,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbError),
    /// The inventory couldn't be asked.
    #[error("the inventory can't be asked: {0}")]
    Inventory(InventoryError),
}

impl ErrorType for Error {
    fn error_type(&self) -> &'static str {
        self.kind()
    }
}

impl Error {
    /// A short, stable name: the `error_type` of the metrics and the `code` of a response.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TenantMissing => "tenant_missing",
            Self::TenantUnknown(_) => "tenant_unknown",
            Self::Unreadable(_) => "unreadable",
            Self::Invalid(_) => "invalid",
            Self::NotFound { .. } => "not_found",
            Self::DrillUnknown(_) => "drill_unknown",
            Self::SkuTaken(_) => "sku_taken",
            Self::OutOfStock { .. } => "out_of_stock",
            Self::Database(error) => error.kind(),
            Self::Inventory(error) => error.kind(),
        }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TenantMissing | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::TenantUnknown(_) | Self::NotFound { .. } | Self::DrillUnknown(_) => {
                StatusCode::NOT_FOUND
            }
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::SkuTaken(_) | Self::OutOfStock { .. } => StatusCode::CONFLICT,
            Self::Database(error) if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Inventory(InventoryError::Rejected) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Inventory(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// The part of the service that had the error, and how bad it is. None for what is the
    /// caller's affair alone: a wrong value is no error of a module.
    fn blame(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::TenantMissing | Self::Unreadable(_) | Self::Invalid(_) => None,
            Self::NotFound { .. } | Self::DrillUnknown(_) | Self::OutOfStock { .. } => None,
            Self::TenantUnknown(_) => Some(("tenants", "warning")),
            Self::SkuTaken(_) => Some(("catalogue", "warning")),
            Self::Database(error) if error.is_unavailable() => Some(("database", "critical")),
            Self::Database(_) => Some(("database", "error")),
            Self::Inventory(InventoryError::Rejected) => Some(("inventory", "warning")),
            Self::Inventory(_) => Some(("inventory", "error")),
        }
    }
}

/// Counts and logs an error. Called once for an error, where it leaves the service.
pub fn report(error: &Error) {
    if let Some((module, severity)) = error.blame() {
        metrics::record_module_error(module, error.kind(), severity);
        if severity == "warning" {
            // The metric tells enough of what happens every day.
            tracing::debug!(module, error_type = error.kind(), "{error}");
        } else {
            tracing::error!(module, error_type = error.kind(), cause = ?error, "{error}");
        }
    }
}

/// Why the process ends.
#[derive(Debug)]
pub struct Fatal {
    exit: Exit,
    message: String,
}

impl Fatal {
    /// An end of the process, with a message of one line for each problem.
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
        }
    }

    /// The same end, once its message has been given.
    #[must_use]
    pub fn said(self) -> Self {
        Self {
            message: String::new(),
            ..self
        }
    }

    /// The process's exit status.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Exit statuses, numbered as in BSD's `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Something that the service needs isn't there: a port, a server.
    Unavailable = 69,
    /// A mistake in the service itself.
    Software = 70,
    /// A file can't be read or written.
    Io = 74,
    /// A setting is wrong.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
