//! Queries on the table `tenants`.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Database, DbError, Query};
use crate::tenants::Tenant;

impl Database {
    /// One tenant, if it exists.
    ///
    /// # Errors
    /// The query's.
    pub async fn tenant(&self, id: &str) -> Result<Option<Tenant>, DbError> {
        let query = Query::new("select", "tenants");
        self.run(query, async {
            sqlx::query("SELECT id, name, plan FROM tenants WHERE id = $1")
                .bind(id)
                .try_map(from_row)
                .fetch_optional(&self.pool)
                .await
        })
        .await
    }

    /// Renames a tenant.
    ///
    /// # Errors
    /// The query's.
    pub async fn rename_tenant(&self, id: &str, name: &str) -> Result<(), DbError> {
        let query = Query::new("update", "tenants");
        self.run(query, async {
            sqlx::query("UPDATE tenants SET name = $2 WHERE id = $1")
                .bind(id)
                .bind(name)
                .execute(&self.pool)
                .await
        })
        .await
        .map(drop)
    }
}

fn from_row(row: AnyRow) -> Result<Tenant, sqlx::Error> {
    Ok(Tenant {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        plan: row.try_get("plan")?,
    })
}
