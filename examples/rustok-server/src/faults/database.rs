//! A database that refuses, or is slow.

use std::time::Duration;

use sqlx::AnyPool;
use tokio::time::sleep;

use super::{Fault, Faults};

/// How much longer a query takes: more than the 100 ms of the alert.
const SLOW_QUERY: Duration = Duration::from_millis(150);

impl Faults {
    /// What happens before a query, within its time and its span.
    ///
    /// # Errors
    /// The database's own, since it is asked for a table that it doesn't have.
    pub async fn before_query(&self, pool: &AnyPool) -> Result<(), sqlx::Error> {
        if self.is_on(Fault::SlowDatabase) {
            sleep(SLOW_QUERY).await;
        }
        if self.is_on(Fault::Errors) {
            sqlx::query("SELECT 1 FROM no_table_has_this_name_it_is_a_drill")
                .execute(pool)
                .await?;
        }
        Ok(())
    }
}
