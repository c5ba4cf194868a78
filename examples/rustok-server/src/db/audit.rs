//! Queries on the table `audit_log`.

use super::{Database, DbError, Query};

/// A row of the audit log.
#[derive(Debug, Clone, Copy)]
pub struct AuditEntry<'a> {
    /// The event that it tells of.
    pub event_id: &'a str,
    /// The tenant whose data changed.
    pub tenant_id: &'a str,
    /// What happened.
    pub event_type: &'a str,
    /// To what it happened.
    pub subject: &'a str,
    /// When, in milliseconds since 1970.
    pub happened_at: i64,
}

impl Database {
    /// Adds a row. An event that is in the log already isn't added again.
    ///
    /// # Errors
    /// The query's.
    pub async fn insert_audit(&self, entry: AuditEntry<'_>) -> Result<(), DbError> {
        let query = Query::new("insert", "audit_log");
        self.run(query, async {
            sqlx::query(
                "INSERT INTO audit_log (event_id, tenant_id, event_type, subject, happened_at) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (event_id) DO NOTHING",
            )
            .bind(entry.event_id)
            .bind(entry.tenant_id)
            .bind(entry.event_type)
            .bind(entry.subject)
            .bind(entry.happened_at)
            .execute(&self.pool)
            .await
        })
        .await
        .map(drop)
    }
}
