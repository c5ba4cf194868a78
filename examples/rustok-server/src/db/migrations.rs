//! The schema, embedded in the program, in numbered steps.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr};

use super::Location;
use super::error::reason;
use crate::errors::{Exit, Fatal};

const STEPS: [(i64, &str, &str); 2] = [
    (
        1,
        "catalogue",
        include_str!("../../migrations/0001_catalogue.sql"),
    ),
    (
        2,
        "tenants",
        include_str!("../../migrations/0002_tenants.sql"),
    ),
];

/// Applies the steps that this database doesn't have yet. PostgreSQL has a lock for this; for a file the caller holds one.
pub(super) async fn run(connection: &mut AnyConnection, location: &Location) -> Result<(), Fatal> {
    let steps = STEPS.map(|(version, name, sql)| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(steps.into())
        .run(connection)
        .await
        .map_err(|error| cannot_migrate(location, &error))
}

fn cannot_migrate(location: &Location, error: &MigrateError) -> Fatal {
    let reason = match error {
        MigrateError::Execute(error) => reason(error),
        other => other.to_string(),
    };
    let exit = if location.is_embedded() {
        Exit::Io
    } else {
        Exit::Unavailable
    };
    Fatal::new(
        exit,
        format!("database {location}: its schema can't be brought up to date: {reason}"),
    )
}
