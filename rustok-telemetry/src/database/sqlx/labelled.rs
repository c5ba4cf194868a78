//! Queries of sqlx with labels from their SQL.

use std::sync::OnceLock;

use sqlx::{Database, Execute, SqlStr, error::BoxDynError};

use crate::{
    database::{Query, statement::Statement},
    metrics::{NONE, OTHER},
};

/// A query taken apart: the SQL can only be read by consuming a query.
pub(super) struct Labelled<DB: Database> {
    pub(super) labels: Query,
    sql: SqlStr,
    arguments: Result<Option<DB::Arguments>, BoxDynError>,
    persistent: bool,
    statement: Option<DB::Statement>,
}

impl<DB: Database> Labelled<DB> {
    pub(super) fn new<'q>(mut query: impl Execute<'q, DB>) -> Self {
        // In the order of the drivers: of some queries, `persistent` depends on whether the arguments were taken.
        let arguments = query.take_arguments();
        let persistent = query.persistent();
        let statement = query.statement().cloned();
        let sql = query.sql();
        let Statement { kind, table } = Statement::read(sql.as_str());
        Self {
            labels: Query::new(kind, known(table)).system(system(DB::NAME)),
            sql,
            arguments,
            persistent,
            statement,
        }
    }
}

impl<DB: Database> Execute<'_, DB> for Labelled<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        std::mem::replace(&mut self.arguments, Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

/// The budget of the label `table`.
const MAX_TABLES: usize = 50;

/// Returns the name of the table as a label. The first names of the process are kept for its life, and found without a
/// lock; further ones are `other`.
fn known(table: &str) -> &'static str {
    static NAMES: [OnceLock<Box<str>>; MAX_TABLES] = [const { OnceLock::new() }; MAX_TABLES];
    match table {
        NONE => "",
        OTHER => OTHER,
        _ => {
            let names = NAMES.iter().map(|name| name.get_or_init(|| table.into()));
            names
                .map(|name| &**name)
                .find(|name| *name == table)
                .unwrap_or(OTHER)
        }
    }
}

/// Returns OpenTelemetry's name of the database system.
fn system(driver: &str) -> &'static str {
    match driver {
        "PostgreSQL" => "postgresql",
        "MySQL" => "mysql",
        "SQLite" => "sqlite",
        _ => "other_sql",
    }
}
