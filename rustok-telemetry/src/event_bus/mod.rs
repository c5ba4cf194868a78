//! Spans and metrics for publishing and handling events, on any transport.
//!
//! The handler's span belongs to the publisher's trace, and both sides are counted. This module does not send events:
//! it records the outcome of sending and handling.
//!
//! ```
//! use rustok_telemetry::{ErrorType, event_bus::{self, EventMetadata}};
//! use tokio::sync::mpsc;
//!
//! struct Event { metadata: EventMetadata, product: u64 }
//!
//! #[derive(Debug, ErrorType)]
//! enum IndexError { NothingToIndex }
//!
//! async fn index(event: &Event) -> Result<(), IndexError> {
//!     if event.product == 0 { Err(IndexError::NothingToIndex) } else { Ok(()) }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let (queue, mut events) = mpsc::channel(100);
//! let waiting = queue.downgrade();
//! event_bus::observe_queue("in_memory", move || {
//!     waiting.upgrade().map_or(0, |queue| queue.max_capacity() - queue.capacity())
//! })
//! .detach();
//!
//! // In the request:
//! let sent = event_bus::publish("ProductCreated", |metadata| {
//!     queue.try_send(Event { metadata, product: 7 })
//! });
//! # sent.expect("there is room");
//! # drop(queue);
//!
//! // In the worker:
//! while let Some(event) = events.recv().await {
//!     event.metadata.received();
//!     // The error is counted. Continue with the next event.
//!     let _ = event_bus::handle(&event.metadata, "index_handler", index(&event)).await;
//! }
//! # }
//! ```
//!
//! # What is recorded
//!
//! | outcome | publishing | handling |
//! |---|---|---|
//! | ok | `rustok_event_bus_published_total` | `rustok_event_bus_dispatched_total` |
//! | error | `rustok_event_bus_errors_total` | `rustok_event_bus_errors_total` |
//! | panic | the same, `error_type="panic"` | the same, `error_type="panic"` |
//! | cancelled: the future was dropped early | | |
//!
//! - `rustok_event_bus_processing_duration_seconds`: the duration of each handling with any outcome, so that timeouts
//!   are included. A future that is never polled records nothing.
//! - `rustok_event_bus_lag_seconds`, by [`received`](EventMetadata::received).
//! - `rustok_event_bus_queue_depth`, by [`observe_queue`].
//! - The [span metrics](crate::trace) of `event.publish` and `event.handle`, including cancelled ones.
//! - With a [module](Handler::module), errors and panics also in `rustok_module_errors_total`.

mod handler;
mod handling;
mod metadata;
mod panicked;
mod publisher;
mod queue;
mod severity;

pub use self::{
    handler::{Handler, handle},
    metadata::EventMetadata,
    panicked::Panicked,
    publisher::{Publisher, publish, publish_async},
    queue::observe_queue,
    severity::Severity,
};
