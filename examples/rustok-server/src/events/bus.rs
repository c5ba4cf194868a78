//! The publishing side of the event bus.

use rustok_telemetry::ErrorType;
use rustok_telemetry::event_bus::{self, Publisher};
use tokio::sync::mpsc::{self, Receiver, Sender};
use uuid::Uuid;

use super::{Event, Metadata, Payload};

/// The name of the transport in the metrics.
const TRANSPORT: &str = "in_memory";
/// Whose errors it is when an event is lost, and how bad that is.
const PUBLISHER: Publisher = Publisher::new().module("event_bus").severity("critical");

/// Takes events. Clones share the queue.
#[derive(Debug, Clone)]
pub struct EventBus {
    queue: Sender<Event>,
}

impl EventBus {
    /// A bus with room for so many events, and the end of its queue that a [`Worker`](super::Worker) takes.
    #[must_use]
    pub fn new(capacity: usize) -> (Self, Receiver<Event>) {
        let (queue, events) = mpsc::channel(capacity);
        let read = queue.downgrade();
        event_bus::observe_queue(TRANSPORT, move || {
            read.upgrade()
                .map_or(0, |queue| queue.max_capacity() - queue.capacity())
        })
        .detach();
        (Self { queue }, events)
    }

    /// Publishes an event. It never waits: what happened has happened, and the request that
    /// tells of it shouldn't fail or hang for a slow handler. An event for which there is no
    /// room is lost, counted and logged.
    pub fn publish(&self, tenant_id: &str, payload: Payload) {
        let event_type = payload.event_type();
        let _counted = PUBLISHER.publish(event_type, |telemetry| {
            let id = Uuid::new_v4();
            let metadata = Metadata {
                id,
                tenant_id: tenant_id.to_owned(),
                telemetry: telemetry.with_id(id.to_string()),
            };
            let sent = self.queue.try_send(Event { metadata, payload });
            sent.map_err(|error| {
                let lost = Lost(error.error_type());
                tracing::error!(event_type, reason = lost.0, "an event was lost");
                lost
            })
        });
    }

    /// How many more events can wait.
    #[must_use]
    pub fn room(&self) -> usize {
        self.queue.capacity()
    }
}

/// There was no room for an event, or nobody takes events any more.
struct Lost(&'static str);

impl ErrorType for Lost {
    fn error_type(&self) -> &'static str {
        self.0
    }
}
