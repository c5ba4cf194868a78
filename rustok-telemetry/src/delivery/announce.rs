//! What a person is told of failing exports: one line, and one when it is over.

/// Logged once, until exports of all signals succeed again.
pub(super) fn announce_failure(signal: &str, endpoint: &str, error: &str) {
    tracing::warn!(
        "exporting {signal} to {endpoint} failed: {error}. The service goes on without; what is lost is counted in \
         rustok_telemetry_* at the text endpoint. Further failures are not logged until an export succeeds."
    );
}

/// Logged once after that.
pub(super) fn announce_recovery(endpoint: &str) {
    tracing::info!("exporting to {endpoint} succeeds again");
}

/// Logged once for each signal.
pub(super) fn announce_too_large(signal: &str, items: &str) {
    tracing::warn!(
        "some {signal} were dropped: {items}. OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT bounds texts among attributes. Further \
         ones are counted in rustok_telemetry_* and not logged."
    );
}
