//! The receiving side of the event bus.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use futures::FutureExt;
use rustok_telemetry::metrics;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use super::Event;
use super::bus::TRANSPORT;
use super::handlers::{EventHandler, HandlerError};

/// Gives events to handlers, one event after the other.
///
/// The order matters: a product that was created and deleted must not end up in the index.
pub struct Worker {
    events: Receiver<Event>,
    handlers: Vec<Arc<dyn EventHandler>>,
}

impl Worker {
    /// A worker for the events of a bus.
    #[must_use]
    pub fn new(events: Receiver<Event>, handlers: Vec<Arc<dyn EventHandler>>) -> Self {
        Self { events, handlers }
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
                event = self.events.recv() => event,
            };
            let depth = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
            metrics::update_queue_depth(TRANSPORT, depth);
            match event {
                Some(event) => self.dispatch(&event).await,
                None => return,
            }
        }
    }

    async fn dispatch(&self, event: &Event) {
        let lag = SystemTime::now().duration_since(event.metadata.published_at);
        let event_type = event.payload.event_type();
        metrics::record_event_lag(event_type, lag.unwrap_or_default().as_secs_f64());
        for handler in &self.handlers {
            handle(handler.as_ref(), event).await;
        }
    }
}

/// Gives one event to one handler. A handler that fails or panics stops nobody else.
async fn handle(handler: &dyn EventHandler, event: &Event) {
    let event_type = event.payload.event_type();
    let span = tracing::info_span!(
        parent: None,
        "event.handle",
        otel.name = handler.name(),
        otel.kind = "consumer",
        messaging.destination.name = event_type,
        messaging.message.id = %event.metadata.id,
        tenant_id = event.metadata.tenant_id,
        otel.status_code = Empty,
        error.type = Empty,
    );
    event.metadata.context.follow(&span);
    let started = Instant::now();
    let work = AssertUnwindSafe(handler.handle(event)).catch_unwind();
    let outcome = work
        .instrument(span.clone())
        .await
        .unwrap_or(Err(HandlerError::Panicked));
    let seconds = started.elapsed().as_secs_f64();
    metrics::record_event_processing_duration(event_type, handler.name(), seconds);
    if outcome.is_ok() {
        metrics::record_event_dispatched(event_type, handler.name());
    }
    if let Err(error) = outcome {
        span.record("error.type", error.kind());
        span.record("otel.status_code", "ERROR");
        metrics::record_event_error(event_type, error.kind());
        metrics::record_module_error(handler.module(), error.kind(), error.severity());
        span.in_scope(|| tracing::warn!(error_type = error.kind(), "{error}"));
    }
}
