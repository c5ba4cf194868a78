//! A declared metric: what the functions that the macro makes record on.

use std::{
    any::Any,
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

#[cfg(feature = "testing")]
use super::capture;
use super::{
    Declaration,
    instrument::{Instrument, InvalidValue},
    registered::{InstallContext, RegisteredMetric, ViewOutcome},
    store::{point::VisitSeries, series::Series},
};
use crate::lifecycle::{self, DROPPED, Stage};

/// A metric with `N` labels, recorded through an instrument of kind `I`.
///
/// Made by the macro [`metrics`](macro@crate::metrics), one static for each declared function.
pub struct Metric<I: Instrument, const N: usize> {
    declaration: &'static Declaration,
    series: OnceLock<Series<I, N>>,
    /// Whether a view drops the metric.
    dropped: AtomicBool,
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
            dropped: AtomicBool::new(false),
        }
    }

    /// Records a value, and tells whether it did. Before `init` and after shutdown it is counted as lost instead.
    #[inline]
    pub fn record(&self, labels: [&str; N], value: I::Value) -> bool {
        #[cfg(feature = "testing")]
        if let Some(capture) = capture::current() {
            return capture.record::<I, N>(self.declaration, labels, value);
        }
        match self.series.get() {
            Some(series) if lifecycle::is_running() && I::reject(value).is_none() => {
                series.record(labels, value);
                true
            }
            _ => self.recorded_nowhere(value),
        }
    }

    /// The cell of a label set that was recorded before, as it is and with no value folded.
    pub(crate) fn cell(&'static self, labels: [&str; N]) -> Option<&'static I::Cell> {
        self.series.get()?.cell(labels)
    }

    /// Records a value in a cell of this metric, and tells whether it did: not while telemetry does not run, nor in a
    /// test that captures what is recorded.
    #[inline]
    pub(crate) fn record_in(&self, cell: &I::Cell, value: I::Value) -> bool {
        #[cfg(feature = "testing")]
        if capture::current().is_some() {
            return false;
        }
        let recorded = lifecycle::is_running() && I::reject(value).is_none();
        if recorded {
            I::write(cell, value);
        }
        recorded
    }

    /// Counts a record that is lost; tells whether it is one that nobody wants.
    #[cold]
    fn recorded_nowhere(&self, value: I::Value) -> bool {
        match (lifecycle::stage(), self.series.get()) {
            (Stage::Running, _) if self.dropped.load(Ordering::Relaxed) => return true,
            (Stage::Running, Some(_)) => {
                if let Some(rejection) = I::reject(value) {
                    count_rejection(rejection);
                }
            }
            (Stage::Disabled, _) => {}
            (Stage::Stopping | Stage::ShutDown, _) => lose(&DROPPED.after_shutdown),
            (Stage::NotStarted | Stage::Running, _) => lose(&DROPPED.before_init),
        }
        false
    }
}

impl<I: Instrument, const N: usize> RegisteredMetric for Metric<I, N> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn declaration(&self) -> &'static Declaration {
        self.declaration
    }

    fn install(&'static self, installation: &InstallContext<'_>) {
        let boundaries = match (installation.view)(self.declaration) {
            ViewOutcome::Declared => self.declaration.boundaries,
            ViewOutcome::Boundaries(boundaries) => boundaries,
            ViewOutcome::Dropped => return self.dropped.store(true, Ordering::Relaxed),
        };
        self.series.get_or_init(|| {
            let handle = I::create(self.declaration, installation.storage, boundaries);
            Series::new(self.declaration, handle)
        });
    }

    fn read(&self, visit: VisitSeries<'_>) {
        if let Some(series) = self.series.get() {
            series.read(visit);
        }
    }

    fn visit_folds(&self, visit: &mut dyn FnMut(&'static str, u64)) {
        if let Some(series) = self.series.get() {
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

fn count_rejection(rejection: InvalidValue) {
    match rejection {
        InvalidValue::NotFinite => lose(&DROPPED.not_finite),
        InvalidValue::Negative => lose(&DROPPED.negative),
    }
}
