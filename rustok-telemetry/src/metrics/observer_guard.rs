//! The guard of a registered callback.

use std::fmt;

/// Guard of a callback that runs before each collection. Dropping it unregisters the callback.
///
/// ```
/// use rustok_telemetry::cache;
///
/// let tenants = cache::CacheRecorder::new("tenant_cache");
/// let observer = tenants.observe_size(|| 42);
/// // The next collections have `rustok_cache_size{cache="tenant_cache"} 42`.
/// drop(observer); // And the ones after it have 0.
/// ```
#[must_use = "dropping this guard unregisters the callback"]
pub struct ObserverGuard(Option<Box<dyn FnOnce() + Send + Sync>>);

impl ObserverGuard {
    pub(crate) fn new(unregister: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(unregister)))
    }

    /// Keeps the callback registered until the process ends, or until its source is gone.
    pub fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for ObserverGuard {
    fn drop(&mut self) {
        if let Some(unregister) = self.0.take() {
            unregister();
        }
    }
}

impl fmt::Debug for ObserverGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserverGuard").finish_non_exhaustive()
    }
}
