//! Metrics of database access.

/// Declarations; the functions are re-exported by [`metrics`](super).
#[crate::metrics(namespace = "rustok", subsystem = "database")]
pub(crate) mod declared {
    use crate::metrics::REQUEST_SECONDS;

    /// Time that a query took.
    #[histogram(name = "query_duration_seconds", unit = "s", boundaries = REQUEST_SECONDS, series = 200)]
    pub fn record_db_query_duration(
        #[label(budget = 10)] query_type: &str,
        #[label(budget = 50)] table: &str,
        seconds: f64,
    );

    /// Connections of the pool by state: active or idle.
    #[gauge(name = "connections")]
    pub fn update_db_connections(#[label(budget = 5)] state: &str, connections: i64);

    /// Queries that failed.
    #[counter(name = "query_errors_total", series = 150)]
    pub fn record_db_query_error(
        #[label(budget = 10)] query_type: &str,
        #[label(budget = 30)] error_type: &str,
    );
}
