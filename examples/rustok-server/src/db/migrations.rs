//! The schema, embedded in the program, in numbered steps.

use std::time::Duration;

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

/// Another instance may be applying the steps at the same moment; then this one looks again.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// Applies the steps that this database doesn't have yet.
pub(super) async fn run(connection: &mut AnyConnection, location: &Location) -> Result<(), Fatal> {
    for _ in 1..ATTEMPTS {
        match apply(connection).await {
            Err(error) if location.is_embedded() && is_of_another_instance(&error) => {
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome.map_err(|error| cannot_migrate(location, &error)),
        }
    }
    apply(connection)
        .await
        .map_err(|error| cannot_migrate(location, &error))
}

async fn apply(connection: &mut AnyConnection) -> Result<(), MigrateError> {
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
}

/// A step runs within a transaction, so an instance that comes second finds the tables there, or the file locked.
/// PostgreSQL has a lock of its own for this.
fn is_of_another_instance(error: &MigrateError) -> bool {
    let text = error.to_string();
    [
        "already exists",
        "database is locked",
        "UNIQUE constraint failed",
    ]
    .iter()
    .any(|sign| text.contains(sign))
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
