//! Metrics of an event bus: throughput, handlers, queue and lag.

/// Declarations; the functions are re-exported by [`metrics`](super).
#[crate::metrics(namespace = "rustok", subsystem = "event_bus")]
pub(crate) mod declared {
    use crate::metrics::{FAST_SECONDS, WAIT_SECONDS};

    /// Events published to the bus.
    #[counter(name = "published_total", series = 1500)]
    pub fn record_event_published(
        #[label(budget = 50)] event_type: &str,
        #[label(budget = 500)] tenant_id: &str,
    );

    /// Events that a handler has processed.
    #[counter(name = "dispatched_total", series = 300)]
    pub fn record_event_dispatched(
        #[label(budget = 50)] event_type: &str,
        #[label(budget = 20)] handler: &str,
    );

    /// Events that wait in the transport's queue.
    #[gauge(name = "queue_depth")]
    pub fn update_queue_depth(#[label(budget = 10)] transport: &str, depth: i64);

    /// Time that a handler took for an event.
    #[histogram(name = "processing_duration_seconds", unit = "s", boundaries = FAST_SECONDS, series = 200)]
    pub fn record_event_processing_duration(
        #[label(budget = 50)] event_type: &str,
        #[label(budget = 20)] handler: &str,
        seconds: f64,
    );

    /// Events whose processing failed.
    #[counter(name = "errors_total", series = 200)]
    pub fn record_event_error(
        #[label(budget = 50)] event_type: &str,
        #[label(budget = 20)] error_type: &str,
    );

    /// Time from an event's publication to the start of its processing.
    #[histogram(name = "lag_seconds", unit = "s", boundaries = WAIT_SECONDS)]
    pub fn record_event_lag(#[label(budget = 50)] event_type: &str, seconds: f64);
}
