//! What the set-up needs from every metric, whatever its kind.

use super::{Declaration, instrument::Storage, store::point::VisitSeries};
use std::any::Any;

use linkme::distributed_slice;
use opentelemetry::metrics::Meter;

/// A declared metric. The macro registers one for each declaration.
pub trait RegisteredMetric: Send + Sync {
    /// As what it is.
    fn as_any(&self) -> &dyn Any;

    /// The catalogue entry.
    fn declaration(&self) -> &'static Declaration;

    /// Makes the instrument. Called once, when telemetry starts.
    fn install(&'static self, installation: &InstallContext<'_>);

    /// Reads every series that we keep; none of a metric that the SDK keeps or reads, or that a view drops.
    fn read(&self, visit: VisitSeries<'_>);

    /// Tells for each label of a metric that has series how many records were folded into `other`.
    fn visit_folds(&self, visit: &mut dyn FnMut(&'static str, u64));

    /// For a metric with labels that has been observed: how many observations were left out at its limit.
    fn observations_dropped(&self) -> Option<u64> {
        None
    }
}

/// How metrics are installed.
pub struct InstallContext<'start> {
    /// What the SDK's instruments are made with.
    pub meter: &'start Meter,
    /// Who keeps the numbers of those that are recorded.
    pub storage: Storage<'start>,
    /// What the views of the configuration do with a metric.
    pub view: &'start dyn Fn(&'static Declaration) -> ViewOutcome<'start>,
}

/// What becomes of a metric.
#[derive(Debug, Clone, Copy)]
pub enum ViewOutcome<'start> {
    /// It is as declared.
    Declared,
    /// It has other boundaries, if it is a histogram.
    Boundaries(&'start [f64]),
    /// It is neither sent nor in the text.
    Dropped,
}

impl std::fmt::Debug for InstallContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Installation").field(&self.storage).finish()
    }
}

/// Every declared metric of the program, in no particular order.
#[distributed_slice]
pub static ALL: [&'static dyn RegisteredMetric];

/// The metric of a name, if it is of this type.
pub(crate) fn find<M: 'static>(name: &str) -> Option<&'static M> {
    let metric = ALL.iter().find(|one| one.declaration().name == name)?;
    metric.as_any().downcast_ref()
}
