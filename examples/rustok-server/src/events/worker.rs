//! The receiving side of the event bus.

use std::sync::Arc;

use rustok_telemetry::event_bus::Handler;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::Event;
use super::handlers::{EventHandler, HandlerError};
use crate::faults::{Fault, Faults};

/// Gives events to handlers, one event after the other.
///
/// The order matters: a product that was created and deleted must not end up in the index.
pub struct Worker {
    events: Receiver<Event>,
    handlers: Vec<Arc<dyn EventHandler>>,
    faults: Faults,
}

impl Worker {
    /// A worker for the events of a bus.
    #[must_use]
    pub fn new(
        events: Receiver<Event>,
        handlers: Vec<Arc<dyn EventHandler>>,
        faults: Faults,
    ) -> Self {
        Self {
            events,
            handlers,
            faults,
        }
    }

    /// Works until `stop`; then takes no new events, and finishes those that wait.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let event = tokio::select! {
                biased;
                () = stop.cancelled(), if !self.events.is_closed() => {
                    self.events.close();
                    continue;
                }
                event = self.next() => event,
            };
            match event {
                Some(event) => self.dispatch(&event).await,
                None => return,
            }
        }
    }

    /// The next event. While the drill of the full queue is on, none is taken, until the service stops.
    async fn next(&mut self) -> Option<Event> {
        if !self.events.is_closed() {
            self.faults.wait_until(Fault::FullQueue, false).await;
        }
        self.events.recv().await
    }

    async fn dispatch(&self, event: &Event) {
        event.metadata.telemetry.received();
        for handler in &self.handlers {
            handle(handler.as_ref(), event).await;
        }
    }
}

/// Gives one event to one handler. A handler that fails or panics stops nobody else: what went wrong is counted and
/// logged, and that is all.
async fn handle(handler: &dyn EventHandler, event: &Event) {
    let work = async {
        let handled = handler.handle(event).await;
        handled.inspect_err(|error| tracing::warn!(error_type = error.kind(), "{error}"))
    };
    let handled = Handler::new(handler.name())
        .module(handler.module())
        .severity_by(HandlerError::severity)
        .handle_catching(&event.metadata.telemetry, work)
        .await;
    if let Err(error @ HandlerError::Panicked(_)) = handled {
        tracing::warn!(
            error_type = error.kind(),
            handler = handler.name(),
            "{error}"
        );
    }
}
