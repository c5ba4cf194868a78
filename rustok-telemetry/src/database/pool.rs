//! The connections of pools, read at each collection.

use crate::metrics::{ObserverGuard, collection::current_hooks};

/// The connections that a pool has at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that somebody uses.
    pub active: u64,
    /// Connections that wait for somebody.
    pub idle: u64,
}

/// Adds a pool to the gauges `rustok_database_connections{state="active"|"idle"}`, which are read at each collection.
///
/// `read` gives the pool's [state](PoolState), or `None` once the pool is gone, after which it isn't asked again. The
/// states of all pools are added up, and one that is gone counts no more. `read` runs on the thread that collects and
/// must not block. If it panics, its pool is left out, and that is counted in
/// `rustok_telemetry_observation_panics_total`.
///
/// What `read` owns lives as long as the returned [`ObserverGuard`]; a `Weak` keeps no pool open:
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
pub fn observe_pool<S: Into<Option<PoolState>>>(
    read: impl Fn() -> S + Send + Sync + 'static,
) -> ObserverGuard {
    current_hooks()
        .sums
        .connections
        .observe("".into(), move || {
            let state: PoolState = read().into()?;
            Some([state.active, state.idle])
        })
}
