//! Queries on the table `products`.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Database, DbError, Query, now_ms};
use crate::products::{Changes, Product};

impl Database {
    /// The newest products of a tenant.
    ///
    /// # Errors
    /// The query's.
    pub async fn products(&self, tenant: &str, limit: i64) -> Result<Vec<Product>, DbError> {
        self.run(SELECT, async {
            sqlx::query(
                "SELECT * FROM products WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT $2",
            )
            .bind(tenant)
            .bind(limit)
            .try_map(from_row)
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// One product of a tenant, if it exists.
    ///
    /// # Errors
    /// The query's.
    pub async fn product(&self, tenant: &str, id: &str) -> Result<Option<Product>, DbError> {
        self.run(SELECT, async {
            sqlx::query("SELECT * FROM products WHERE tenant_id = $1 AND id = $2")
                .bind(tenant)
                .bind(id)
                .try_map(from_row)
                .fetch_optional(&self.pool)
                .await
        })
        .await
    }

    /// Adds a product.
    ///
    /// # Errors
    /// The query's; a unique violation when the tenant has the SKU already.
    pub async fn insert_product(&self, product: &Product) -> Result<(), DbError> {
        let query = Query::new("insert", "products");
        self.run(query, async {
            sqlx::query(
                "INSERT INTO products (id, tenant_id, sku, name, description, price_cents, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(&product.id)
            .bind(&product.tenant_id)
            .bind(&product.sku)
            .bind(&product.name)
            .bind(&product.description)
            .bind(product.price_cents)
            .bind(product.created_at)
            .bind(product.updated_at)
            .execute(&self.pool)
            .await
        })
        .await
        .map(drop)
    }

    /// Changes a product and returns it, if it exists.
    ///
    /// # Errors
    /// The query's.
    pub async fn update_product(
        &self,
        tenant: &str,
        id: &str,
        changes: &Changes,
    ) -> Result<Option<Product>, DbError> {
        let query = Query::new("update", "products");
        self.run(query, async {
            sqlx::query(
                "UPDATE products SET name = $3, description = $4, price_cents = $5, updated_at = $6 \
                 WHERE tenant_id = $1 AND id = $2 RETURNING *",
            )
            .bind(tenant)
            .bind(id)
            .bind(&changes.name)
            .bind(&changes.description)
            .bind(changes.price_cents)
            .bind(now_ms())
            .try_map(from_row)
            .fetch_optional(&self.pool)
            .await
        })
        .await
    }

    /// Deletes a product; false when there is none.
    ///
    /// # Errors
    /// The query's.
    pub async fn delete_product(&self, tenant: &str, id: &str) -> Result<bool, DbError> {
        let query = Query::new("delete", "products");
        self.run(query, async {
            sqlx::query("DELETE FROM products WHERE tenant_id = $1 AND id = $2")
                .bind(tenant)
                .bind(id)
                .execute(&self.pool)
                .await
        })
        .await
        .map(|done| done.rows_affected() > 0)
    }

    /// How many products each tenant has; tenants without products are in it too.
    ///
    /// # Errors
    /// The query's.
    pub async fn products_by_tenant(&self) -> Result<Vec<(String, i64)>, DbError> {
        self.run(SELECT, async {
            sqlx::query(
                "SELECT tenants.id AS tenant_id, COUNT(products.id) AS products FROM tenants \
                 LEFT JOIN products ON products.tenant_id = tenants.id GROUP BY tenants.id",
            )
            .try_map(|row: AnyRow| Ok((row.try_get("tenant_id")?, row.try_get("products")?)))
            .fetch_all(&self.pool)
            .await
        })
        .await
    }
}

const SELECT: Query = Query::new("select", "products");

pub(super) fn from_row(row: AnyRow) -> Result<Product, sqlx::Error> {
    Ok(Product {
        id: row.try_get("id")?,
        tenant_id: row.try_get("tenant_id")?,
        sku: row.try_get("sku")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        price_cents: row.try_get("price_cents")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}
