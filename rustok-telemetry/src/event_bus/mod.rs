//! Events: publishing and handling them, whatever carries them.
//!
//! Each event is a part of the trace that it was published in, and is counted on both sides of the queue. Nothing here
//! sends an event; it sees how the sending and the handling end.
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
//! .forever();
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
//!     // A handler that fails is counted, and stops nobody else.
//!     let _ = event_bus::handle(&event.metadata, "index_handler", index(&event)).await;
//! }
//! # }
//! ```
//!
//! # What is counted
//!
//! | outcome | of publishing | of handling |
//! |---|---|---|
//! | ok | `rustok_event_bus_published_total` | `rustok_event_bus_dispatched_total` |
//! | error | `rustok_event_bus_errors_total` | `rustok_event_bus_errors_total` |
//! | panic | the same, `error_type="panic"` | the same, `error_type="panic"` |
//! | cancelled: the future was dropped before it was done | | |
//!
//! However it ends, a handling that began is in `rustok_event_bus_processing_duration_seconds`, so that a handler which
//! is always given up on doesn't look fast. A future that was never polled has not begun. The
//! [span metrics](crate::trace) count the spans `event.publish` and `event.handle` besides, cancelled ones too.
//! [`received`](EventMetadata::received) records `rustok_event_bus_lag_seconds`, [`observe_queue`]
//! `rustok_event_bus_queue_depth`.
//!
//! With a [module](Handler::module), errors and panics are in `rustok_module_errors_total` as well.

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

use crate::operation::CallMeta;

/// The site of what belongs to no module.
const NO_MODULE: CallMeta = CallMeta {
    module: None,
    severity: "error",
};
