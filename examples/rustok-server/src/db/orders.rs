//! Queries on the table `orders`.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Database, DbError, Query, now_ms};
use crate::orders::{BusiestSecond, Order};

impl Database {
    /// Adds an order.
    ///
    /// # Errors
    /// The query's.
    pub async fn insert_order(&self, order: &Order) -> Result<(), DbError> {
        let query = Query::new("insert", "orders");
        self.run(query, async {
            sqlx::query(
                "INSERT INTO orders (id, tenant_id, product_id, quantity, total_cents, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(&order.id)
            .bind(&order.tenant_id)
            .bind(&order.product_id)
            .bind(order.quantity)
            .bind(order.total_cents)
            .bind(order.created_at)
            .execute(&self.pool)
            .await
        })
        .await
        .map(drop)
    }

    /// The second of the last hours in which a tenant sold most.
    ///
    /// It looks at each second of the time, sold or not, and is slow for that reason.
    ///
    /// # Errors
    /// The query's.
    pub async fn busiest_second(&self, tenant: &str, hours: i64) -> Result<BusiestSecond, DbError> {
        let query = Query::new("select", "orders").summary("SELECT orders by second");
        let end = now_ms();
        self.run(query, async {
            sqlx::query(
                "WITH RECURSIVE seconds (start_at) AS ( \
                   SELECT CAST($2 AS BIGINT) \
                   UNION ALL \
                   SELECT start_at + 1000 FROM seconds WHERE start_at + 1000 < $3 \
                 ) \
                 SELECT seconds.start_at AS start_at, \
                        CAST(COALESCE(SUM(orders.quantity), 0) AS BIGINT) AS sold \
                 FROM seconds LEFT JOIN orders ON orders.tenant_id = $1 \
                   AND orders.created_at >= seconds.start_at \
                   AND orders.created_at < seconds.start_at + 1000 \
                 GROUP BY seconds.start_at ORDER BY sold DESC, start_at DESC LIMIT 1",
            )
            .bind(tenant)
            .bind(end - hours * 3_600_000)
            .bind(end)
            .try_map(|row: AnyRow| {
                Ok(BusiestSecond {
                    start_at: row.try_get("start_at")?,
                    sold: row.try_get("sold")?,
                })
            })
            .fetch_one(&self.pool)
            .await
        })
        .await
    }
}
