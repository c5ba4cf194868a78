//! Metrics of connection pools.

use crate::metrics::{
    ObserverGuard,
    collection::{current_hooks, registered_at},
};

/// The number of connections in a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Connections in use.
    pub active: u64,
    /// Open connections that are not in use.
    pub idle: u64,
}

/// Adds a pool to the gauges `rustok_database_connections{state="active"|"idle"}`.
///
/// The callback `read` returns the [state](PoolState) of the pool before each collection, or `None` once the pool is
/// gone, which unregisters the callback. The gauges are the sums of all pools. If `read` panics, the collection skips
/// this pool and counts the panic in `rustok_telemetry_observation_panics_total`. `read` must not block: while it does,
/// the pool counts with its last state, as described at [`before_collection`](crate::metrics::before_collection).
///
/// Dropping the returned [`ObserverGuard`] unregisters the callback and drops what it owns. A `Weak` does not keep the
/// pool open:
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use rustok_telemetry::database::{PoolState, observe_pool};
///
/// struct Pool { all: u64, idle: Mutex<Vec<u32>> }
///
/// let pool = Arc::new(Pool { all: 3, idle: Mutex::new(vec![1, 2]) });
/// let watched = Arc::downgrade(&pool);
/// observe_pool(move || {
///     let pool = watched.upgrade()?;
///     let idle = pool.idle.lock().ok()?.len() as u64;
///     Some(PoolState { active: pool.all - idle, idle })
/// })
/// .detach(); // until the pool is gone
/// ```
#[track_caller]
pub fn observe_pool<S: Into<Option<PoolState>>>(
    read: impl Fn() -> S + Send + Sync + 'static,
) -> ObserverGuard {
    let name = registered_at("observe_pool");
    let connections = &current_hooks().sums.connections;
    connections.observe("".into(), name, move || {
        let state: PoolState = read().into()?;
        Some([state.active, state.idle])
    })
}
