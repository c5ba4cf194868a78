//! Metrics captured by one test: isolated series, created on first use.

use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{
    Declaration,
    collection::Hooks,
    instrument::{Instrument, Storage},
    naming,
    registered::Readable,
    store::series::Series,
};

/// Finds the capture that the current thread records into, if there is one.
type Lookup = fn() -> Option<Arc<CapturedMetrics>>;

static LOOKUP: OnceLock<Lookup> = OnceLock::new();

/// Sets how captures are found. Only the first call has an effect.
pub(crate) fn set_lookup(lookup: Lookup) {
    LOOKUP.get_or_init(|| lookup);
}

/// Returns the capture that the current thread records into.
pub(super) fn current() -> Option<Arc<CapturedMetrics>> {
    LOOKUP.get().and_then(|lookup| lookup())
}

/// The [`Series`] of one metric, untyped to record and to read.
type Captured = (Arc<dyn Any + Send + Sync>, Arc<dyn Readable>);

/// The metrics of one capture.
#[derive(Default)]
pub(crate) struct CapturedMetrics {
    by_name: Mutex<BTreeMap<&'static str, Captured>>,
    /// Callbacks that were registered within the capture.
    pub(super) hooks: Arc<Hooks>,
}

impl CapturedMetrics {
    /// Records a value; returns whether the instrument accepts it.
    pub(super) fn record<I: Instrument, const N: usize>(
        &self,
        declaration: &'static Declaration,
        labels: [&str; N],
        value: I::Value,
    ) -> bool {
        let accepted = I::reject(value).is_none();
        if accepted {
            self.series::<I, N>(declaration).record(labels, value);
        }
        accepted
    }

    /// Runs the callbacks, then returns every metric that has been recorded, ordered by name.
    pub(crate) fn all(&self) -> Vec<Arc<dyn Readable>> {
        self.hooks.run();
        let all = self.lock();
        all.values().map(|(_, readable)| readable.clone()).collect()
    }

    fn series<I: Instrument, const N: usize>(
        &self,
        declaration: &'static Declaration,
    ) -> Arc<Series<I, N>> {
        let series = {
            let mut all = self.lock();
            let name = naming::in_effect(declaration).name;
            let captured = all.entry(name).or_insert_with(|| {
                let handle = I::create(declaration, Storage::Native, declaration.boundaries);
                let series = Arc::new(Series::<I, N>::new(declaration, handle));
                (series.clone(), series)
            });
            Arc::clone(&captured.0)
        };
        series
            .downcast()
            .unwrap_or_else(|_| panic!("{} is declared once", declaration.name))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Captured>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
