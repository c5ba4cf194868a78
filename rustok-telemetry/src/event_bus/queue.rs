//! The depth of queues.

use crate::metrics::{self, ObserverGuard};

/// Records the depth of a queue in `rustok_event_bus_queue_depth{transport}`.
///
/// The callback `depth` runs before each collection and must not block. Give it a weak reference, unless it may keep
/// the queue open. Dropping the returned [`ObserverGuard`] unregisters the callback.
///
/// ```
/// use std::{collections::VecDeque, sync::{Arc, Mutex}};
/// use rustok_telemetry::event_bus;
///
/// let queue: Arc<Mutex<VecDeque<String>>> = Arc::default();
/// let read = Arc::clone(&queue);
/// let _observed = event_bus::observe_queue("in_memory", move || {
///     read.lock().map_or(0, |queue| queue.len())
/// });
/// ```
pub fn observe_queue(
    transport: impl Into<String>,
    depth: impl Fn() -> usize + Send + Sync + 'static,
) -> ObserverGuard {
    let transport = transport.into();
    metrics::before_collection(move || {
        let depth = i64::try_from(depth()).unwrap_or(i64::MAX);
        metrics::update_queue_depth(&transport, depth);
    })
}
