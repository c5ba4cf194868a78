//! What a person is told of failing exports: one line, and one when it is over.

/// Said once, until the backend has answered again.
pub(super) fn announce_failure(signal: &str, endpoint: &str, error: &str) {
    tracing::warn!(
        "no OpenTelemetry Collector takes the {signal} at {endpoint}: {error}. The service goes on without; what is \
         lost is counted in rustok_telemetry_* at the text endpoint. This is said once, until one answers."
    );
}

/// Said once after that.
pub(super) fn announce_recovery(endpoint: &str) {
    tracing::info!("the OpenTelemetry Collector at {endpoint} answers again");
}
