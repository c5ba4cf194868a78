//! What waits.

use crate::metrics::{self, ObserverGuard};

/// Reports the depth of a queue in `rustok_event_bus_queue_depth{transport}`, as long as the returned value lives.
///
/// `depth` is called before each collection, so the gauge is true whenever somebody looks; nothing is to be done where
/// events come and go. It must not block. To read a queue without keeping it open, give `depth` a weak reference.
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
