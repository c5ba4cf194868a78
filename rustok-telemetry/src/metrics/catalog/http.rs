//! Metrics of HTTP servers. The [HTTP layer](crate::http) records them.
//!
//! `path` and `endpoint` are the route's template, such as `/api/products/{id}`, never the raw path. Three metrics
//! came into use before the naming convention: RusToK's `rustok_http_requests_by_endpoint` has no `_total`, and it
//! repeats `rustok_http_requests_total` with `endpoint` for `path`. Both stay, since dashboards depend on them.

/// Declarations; the functions are re-exported by [`metrics`](super).
#[crate::metrics(namespace = "rustok", subsystem = "http")]
pub(crate) mod declared {
    use crate::metrics::{REQUEST_SECONDS, SIZE_BYTES, STREAM_SECONDS};

    /// HTTP requests served.
    #[counter(name = "requests_total", series = 800)]
    pub fn record_http_request(
        #[label(budget = 10)] method: &str,
        #[label(budget = 200)] path: &str,
        #[label(budget = 50)] status: &str,
    );

    /// Time from an HTTP request's arrival until its response was sent; for a stream, until its head was sent.
    #[histogram(name = "request_duration_seconds", unit = "s", boundaries = REQUEST_SECONDS, series = 250)]
    pub fn record_http_request_duration(
        #[label(budget = 10)] method: &str,
        #[label(budget = 200)] path: &str,
        seconds: f64,
    );

    /// Time from an HTTP request's arrival until its streamed response has ended.
    #[histogram(name = "stream_duration_seconds", unit = "s", boundaries = STREAM_SECONDS, series = 100)]
    pub fn record_http_stream_duration(
        #[label(budget = 10)] method: &str,
        #[label(budget = 200)] path: &str,
        seconds: f64,
    );

    /// HTTP requests served, by endpoint.
    #[counter(name = "requests_by_endpoint", without_total, series = 800)]
    pub fn record_http_request_by_endpoint(
        #[label(budget = 10)] method: &str,
        #[label(budget = 200)] endpoint: &str,
        #[label(budget = 50)] status: &str,
    );

    /// Size of HTTP request bodies as received or announced.
    #[histogram(name = "request_size_bytes", unit = "By", boundaries = SIZE_BYTES, series = 200)]
    pub fn record_http_request_size(
        #[label(budget = 10)] method: &str,
        #[label(budget = 200)] endpoint: &str,
        bytes: u64,
    );

    /// Size of HTTP response bodies as sent.
    #[histogram(name = "response_size_bytes", unit = "By", boundaries = SIZE_BYTES, series = 200)]
    pub fn record_http_response_size(
        #[label(budget = 10)] method: &str,
        #[label(budget = 200)] endpoint: &str,
        bytes: u64,
    );

    /// HTTP requests that are being served, from arrival until the response has been sent.
    #[up_down_counter(name = "active_connections")]
    pub fn add_http_active_connections(change: i64);
}
