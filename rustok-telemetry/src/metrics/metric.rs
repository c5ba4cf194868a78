//! A declared metric, which the generated functions record on.

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
    naming,
    registered::{InstallContext, Readable, RegisteredMetric, ViewOutcome},
    store::{exemplars::Exemplar, point::VisitSeries, series::Series},
};
use crate::lifecycle::{self, DROPPED, Stage};

/// A metric with `N` labels, recorded through an instrument of kind `I`.
///
/// The macro [`metrics`](macro@crate::metrics) creates one static for each declared function.
pub struct Metric<I: Instrument, const N: usize> {
    declaration: &'static Declaration,
    series: OnceLock<Series<I, N>>,
    /// Whether a view drops the metric.
    dropped: AtomicBool,
}

impl<I: Instrument, const N: usize> Metric<I, N> {
    /// Creates a metric without an instrument.
    ///
    /// # Panics
    ///
    /// At compile time, if the declaration does not have `N` labels or `N` is above 32.
    pub const fn new(declaration: &'static Declaration) -> Self {
        assert!(declaration.labels.len() == N, "one label for each value");
        assert!(N <= 32, "a metric has at most 32 labels");
        Self {
            declaration,
            series: OnceLock::new(),
            dropped: AtomicBool::new(false),
        }
    }

    /// Records a value; returns whether it was accepted. Before `init` and after shutdown it is dropped and counted.
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
            _ => self.count_dropped(value),
        }
    }

    /// Returns the cell of a label set that has been recorded without folding a value.
    pub(crate) fn cell(&'static self, labels: [&str; N]) -> Option<&'static I::Cell> {
        self.series.get()?.cell(labels)
    }

    /// Records a value in a cell of this metric; returns `false`, without recording, if telemetry does not run, the
    /// value is invalid, or a test captures metrics on this thread.
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

    /// Counts a dropped record; returns `true` if a view drops the metric, which accepts every value.
    #[cold]
    fn count_dropped(&self, value: I::Value) -> bool {
        let count = match (lifecycle::stage(), self.series.get()) {
            (Stage::Running, _) if self.dropped.load(Ordering::Relaxed) => return true,
            (Stage::Running, Some(_)) => match I::reject(value) {
                Some(InvalidValue::NotFinite) => &DROPPED.not_finite,
                Some(InvalidValue::Negative) => &DROPPED.negative,
                None => return false,
            },
            (Stage::Disabled, _) => return false,
            (Stage::Stopping | Stage::ShutDown, _) => &DROPPED.after_shutdown,
            (Stage::NotStarted | Stage::Running, _) => &DROPPED.before_init,
        };
        count.fetch_add(1, Ordering::Relaxed);
        false
    }
}

impl<I: Instrument, const N: usize> Readable for Metric<I, N> {
    fn declaration(&self) -> &'static Declaration {
        naming::in_effect(self.declaration)
    }

    fn read(&self, visit: VisitSeries<'_>) {
        if let Some(series) = self.series.get() {
            series.read(visit);
        }
    }

    fn exemplars(&self, labels: &[&str]) -> Vec<(usize, Exemplar)> {
        let series = self.series.get();
        series.map_or_else(Vec::new, |series| series.exemplars(labels))
    }
}

impl<I: Instrument, const N: usize> RegisteredMetric for Metric<I, N> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn install(&'static self, context: &InstallContext<'_>) {
        let declaration = self.declaration();
        let boundaries = match (context.view)(declaration) {
            ViewOutcome::Declared => declaration.boundaries,
            ViewOutcome::Boundaries(boundaries) => boundaries,
            ViewOutcome::Dropped => return self.dropped.store(true, Ordering::Relaxed),
        };
        self.series.get_or_init(|| {
            let storage = context.storage(declaration.kind);
            let handle = I::create(declaration, storage, boundaries);
            Series::new(self.declaration, handle)
        });
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
