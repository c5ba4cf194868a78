//! Metrics of spans. The [span metrics layer](crate::trace) records them for every span.

/// Declarations; the functions are re-exported by [`metrics`](super).
#[crate::metrics(namespace = "rustok")]
pub(crate) mod declared {
    use crate::metrics::FAST_SECONDS;

    /// Spans created, whether sampled or not.
    #[counter(name = "spans_created_total", series = 1500)]
    pub fn record_span_created(
        #[label(budget = 100)] operation: &str,
        #[label(budget = 500)] tenant_id: &str,
    );

    /// Time from a span's creation to its close.
    #[histogram(name = "span_duration_seconds", unit = "s", boundaries = FAST_SECONDS)]
    pub fn record_span_duration(#[label(budget = 100)] operation: &str, seconds: f64);

    /// Spans that ended in an error or a panic.
    #[counter(name = "spans_with_errors_total", series = 300)]
    pub fn record_span_error(
        #[label(budget = 100)] operation: &str,
        #[label(budget = 30)] error_type: &str,
    );

    /// Spans of cancelled operations.
    #[counter(name = "spans_cancelled_total")]
    pub fn record_span_cancelled(#[label(budget = 100)] operation: &str);
}
