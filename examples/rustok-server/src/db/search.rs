//! Queries on the table `search_index`.

use super::products::from_row;
use super::{Database, DbError, Query};
use crate::products::Product;

impl Database {
    /// The products of a tenant that have a word in their text, the last ordered first.
    ///
    /// # Errors
    /// The query's.
    pub async fn search(
        &self,
        tenant: &str,
        word: &str,
        limit: i64,
    ) -> Result<Vec<Product>, DbError> {
        let query = Query::new("select", "search_index");
        let pattern = format!("%{}%", escape_like(&word.to_lowercase()));
        self.run(query, async {
            sqlx::query(
                "SELECT products.* FROM search_index \
                 JOIN products ON products.id = search_index.product_id \
                 WHERE search_index.tenant_id = $1 AND search_index.terms LIKE $2 ESCAPE '\\' \
                 ORDER BY search_index.last_ordered_at DESC, products.created_at DESC LIMIT $3",
            )
            .bind(tenant)
            .bind(pattern)
            .bind(limit)
            .try_map(from_row)
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// Writes the words of a product, in place of older ones.
    ///
    /// # Errors
    /// The query's.
    pub async fn index_product(
        &self,
        tenant: &str,
        product: &str,
        terms: &str,
    ) -> Result<(), DbError> {
        let query = Query::new("insert", "search_index");
        self.run(query, async {
            sqlx::query(
                "INSERT INTO search_index (product_id, tenant_id, terms) VALUES ($1, $2, $3) \
                 ON CONFLICT (product_id) DO UPDATE SET terms = excluded.terms",
            )
            .bind(product)
            .bind(tenant)
            .bind(terms)
            .execute(&self.pool)
            .await
        })
        .await
        .map(drop)
    }

    /// Remembers when a product was last ordered.
    ///
    /// # Errors
    /// The query's.
    pub async fn rank_product(&self, product: &str, ordered_at: i64) -> Result<(), DbError> {
        let query = Query::new("update", "search_index");
        self.run(query, async {
            sqlx::query(
                "UPDATE search_index SET last_ordered_at = $1 \
                 WHERE product_id = $2 AND last_ordered_at < $1",
            )
            .bind(ordered_at)
            .bind(product)
            .execute(&self.pool)
            .await
        })
        .await
        .map(drop)
    }

    /// Forgets the words of a product.
    ///
    /// # Errors
    /// The query's.
    pub async fn unindex_product(&self, product: &str) -> Result<(), DbError> {
        let query = Query::new("delete", "search_index");
        self.run(query, async {
            sqlx::query("DELETE FROM search_index WHERE product_id = $1")
                .bind(product)
                .execute(&self.pool)
                .await
        })
        .await
        .map(drop)
    }
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}
