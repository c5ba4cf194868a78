//! The publishing side of the event bus.

use std::time::SystemTime;

use rustok_telemetry::metrics;
use rustok_telemetry::propagation::EventContext;
use tokio::sync::mpsc::{self, Receiver, Sender};
use uuid::Uuid;

use super::{Event, Metadata, Payload};

/// Events that can wait.
const CAPACITY: usize = 10_000;
/// The name of the transport in the metrics.
pub(super) const TRANSPORT: &str = "in_memory";

/// Takes events. Clones share the queue.
#[derive(Debug, Clone)]
pub struct EventBus {
    queue: Sender<Event>,
}

impl EventBus {
    /// A bus, and the end of its queue that a [`Worker`](super::Worker) takes.
    #[must_use]
    pub fn new() -> (Self, Receiver<Event>) {
        let (queue, events) = mpsc::channel(CAPACITY);
        metrics::update_queue_depth(TRANSPORT, 0);
        (Self { queue }, events)
    }

    /// Publishes an event. It never waits: what happened has happened, and the request that
    /// tells of it shouldn't fail or hang for a slow handler. An event for which there is no
    /// room is lost, counted and logged.
    #[tracing::instrument(
        name = "event.publish",
        skip_all,
        fields(
            otel.kind = "producer",
            messaging.destination.name = payload.event_type(),
            tenant_id,
            error.type = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        )
    )]
    pub fn publish(&self, tenant_id: &str, payload: Payload) {
        let event_type = payload.event_type();
        let metadata = Metadata {
            id: Uuid::new_v4(),
            tenant_id: tenant_id.to_owned(),
            published_at: SystemTime::now(),
            context: EventContext::current(),
        };
        match self.queue.try_send(Event { metadata, payload }) {
            Ok(()) => metrics::record_event_published(event_type, tenant_id),
            Err(error) => self.lost(event_type, &error),
        }
        metrics::update_queue_depth(TRANSPORT, self.depth());
    }

    /// How many events wait.
    #[must_use]
    pub fn depth(&self) -> i64 {
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        i64::try_from(waiting).unwrap_or(i64::MAX)
    }

    /// Sets the gauge of waiting events. Publisher and worker set it too, one after the other or the other way round;
    /// once in a while it is set when nothing happens.
    pub fn report_depth(&self) {
        metrics::update_queue_depth(TRANSPORT, self.depth());
    }

    fn lost(&self, event_type: &'static str, error: &mpsc::error::TrySendError<Event>) {
        let reason = match error {
            mpsc::error::TrySendError::Full(_) => "queue_full",
            mpsc::error::TrySendError::Closed(_) => "queue_closed",
        };
        let span = tracing::Span::current();
        span.record("error.type", reason);
        span.record("otel.status_code", "ERROR");
        metrics::record_event_error(event_type, reason);
        metrics::record_module_error("event_bus", reason, "critical");
        tracing::error!(event_type, reason, "an event was lost");
    }
}
