//! One event at one handler: its span, and what is counted of it.

use tracing::{Span, field::Empty};

use super::EventMetadata;
use crate::{
    metrics::{self, Timer},
    operation::{CallMeta, Outcome, OutcomeRecorder},
    tenant::{self, Tenant},
};

/// What is counted of a handling that has begun.
pub(super) struct Handling<'event> {
    event_type: &'event str,
    handler: &'event str,
    timer: Option<Timer<'event, 2>>,
    site: CallMeta,
}

impl<'event> Handling<'event> {
    pub(super) fn begin(event_type: &'event str, handler: &'event str, site: CallMeta) -> Self {
        Self {
            event_type,
            handler,
            timer: Some(metrics::time_event_processing_duration(event_type, handler)),
            site,
        }
    }
}

impl OutcomeRecorder for Handling<'_> {
    fn count(&mut self, outcome: &Outcome) {
        // The future may stay around for longer than it works.
        drop(self.timer.take());
        if let Outcome::Ok = outcome {
            metrics::record_event_dispatched(self.event_type, self.handler);
        }
        if let Some(error_type) = outcome.error_type() {
            metrics::record_event_error(self.event_type, error_type);
        }
        self.site.count(outcome);
    }
}

/// The span of a handling: in the publisher's trace, and below no span of this process.
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
    // The event's own tenant, before that of which the context knows.
    tenant::set_default_on(&span, event.tenant().map(Tenant::as_str));
    event.context().follow(&span);
    span
}
