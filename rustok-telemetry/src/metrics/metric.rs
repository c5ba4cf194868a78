//! A declared metric: what the functions that the macro makes record on.

use std::{
    fmt,
    sync::{OnceLock, atomic::Ordering},
};

use super::{
    Declaration,
    instrument::{Instrument, Rejection},
    point::VisitSeries,
    registered::{Installation, Registered, Viewed},
    series::Series,
};
use crate::lifecycle::{self, LOST, Stage};

/// A metric with `N` labels, recorded through an instrument of kind `I`.
///
/// Made by the macro [`metrics`](macro@crate::metrics), one static for each declared function.
pub struct Metric<I: Instrument, const N: usize> {
    declaration: &'static Declaration,
    /// `None` in it: a view drops the metric.
    series: OnceLock<Option<Series<I, N>>>,
}

impl<I: Instrument, const N: usize> Metric<I, N> {
    /// A metric that has no instrument yet.
    ///
    /// # Panics
    ///
    /// At compile time, when the declaration does not have `N` labels.
    pub const fn new(declaration: &'static Declaration) -> Self {
        assert!(declaration.labels.len() == N, "one label for each value");
        assert!(N <= 32, "a metric has at most 32 labels");
        Self {
            declaration,
            series: OnceLock::new(),
        }
    }

    /// Records a value, and tells whether it did. Before `init` and after shutdown it is counted as lost instead.
    pub fn record(&self, labels: [&str; N], value: I::Value) -> bool {
        #[cfg(feature = "testing")]
        if let Some(recorded) = crate::testing::record::<I, N>(self.declaration, labels, value) {
            return recorded;
        }
        match (lifecycle::stage(), self.series.get()) {
            (Stage::Running, Some(series)) => match I::reject(value) {
                None => {
                    if let Some(series) = series {
                        series.record(labels, value);
                    }
                    return true;
                }
                Some(rejection) => count_rejection(rejection),
            },
            (Stage::Disabled, _) => {}
            (Stage::Stopping | Stage::ShutDown, _) => lose(&LOST.after_shutdown),
            (Stage::NotStarted | Stage::Running, _) => lose(&LOST.before_init),
        }
        false
    }

    fn installed(&self) -> Option<&Series<I, N>> {
        self.series.get()?.as_ref()
    }
}

impl<I: Instrument, const N: usize> Registered for Metric<I, N> {
    fn declaration(&self) -> &'static Declaration {
        self.declaration
    }

    fn install(&'static self, installation: &Installation<'_>) {
        self.series.get_or_init(|| {
            let boundaries = match (installation.view)(self.declaration) {
                Viewed::Declared => self.declaration.boundaries,
                Viewed::Boundaries(boundaries) => boundaries,
                Viewed::Dropped => return None,
            };
            let handle = I::create(self.declaration, installation.keeper, boundaries);
            Some(Series::new(self.declaration, handle))
        });
    }

    fn read(&self, visit: VisitSeries<'_>) {
        if let Some(series) = self.installed() {
            series.read(visit);
        }
    }

    fn visit_folds(&self, visit: &mut dyn FnMut(&'static str, u64)) {
        if let Some(series) = self.installed() {
            series.visit_folds(visit);
        }
    }
}

impl<I: Instrument, const N: usize> fmt::Debug for Metric<I, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metric")
            .field(&self.declaration.name)
            .finish()
    }
}

fn lose(count: &std::sync::atomic::AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

#[cold]
fn count_rejection(rejection: Rejection) {
    match rejection {
        Rejection::NotFinite => lose(&LOST.not_finite),
        Rejection::Negative => lose(&LOST.negative),
    }
}
