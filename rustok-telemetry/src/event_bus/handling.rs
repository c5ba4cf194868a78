//! The span and the outcome of one event at one handler.

use tracing::{Span, field::Empty};

use super::EventMetadata;
use crate::{
    metrics::{self, Timer},
    operation::{CallMeta, Outcome, OutcomeRecorder},
    tenant::{self, Tenant},
};

/// Records the outcome of a started handling.
pub(super) struct Handling<'event> {
    event_type: &'event str,
    handler: &'event str,
    timer: Option<Timer<'event, 2>>,
    meta: CallMeta,
}

impl<'event> Handling<'event> {
    pub(super) fn begin(event_type: &'event str, handler: &'event str, meta: CallMeta) -> Self {
        Self {
            event_type,
            handler,
            timer: Some(metrics::time_event_processing_duration(event_type, handler)),
            meta,
        }
    }
}

impl OutcomeRecorder for Handling<'_> {
    fn count(&mut self, outcome: &Outcome) {
        // The future may be dropped long after it has finished.
        drop(self.timer.take());
        if let Outcome::Ok = outcome {
            metrics::record_event_dispatched(self.event_type, self.handler);
        }
        if let Some(error_type) = outcome.error_type() {
            metrics::record_event_error(self.event_type, error_type);
        }
        self.meta.count(outcome);
    }
}

/// Creates the span of a handling: a child of the publisher's span, and a root for `tracing`.
pub(super) fn span(event: &EventMetadata, handler: &str) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "event.handle",
        otel.name = handler,
        otel.kind = "consumer",
        messaging.operation.type = "process",
        messaging.operation.name = "handle",
        messaging.destination.name = event.event_type(),
        messaging.message.id = event.id(),
        tenant_id = Empty,
        error.type = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
        rustok.outcome = Empty,
    );
    // The event's own tenant takes precedence over the tenant of the context.
    tenant::set_default_on(&span, event.tenant().map(Tenant::as_str));
    event.context().follow(&span);
    span
}
