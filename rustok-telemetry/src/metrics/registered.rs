//! The registry of declared metrics, and what start-up and the exporters need of each, whatever its kind.

use super::{
    Declaration, Kind,
    instrument::Storage,
    naming,
    store::{exemplars::Exemplar, point::VisitSeries},
};
use std::any::Any;

use linkme::distributed_slice;
use opentelemetry::metrics::Meter;

/// A metric with series in native storage.
pub trait Readable: Send + Sync {
    /// Returns the catalogue entry in effect.
    fn declaration(&self) -> &'static Declaration;

    /// Visits every series in native storage: none of an observable, of a metric in the SDK or of a dropped one.
    fn read(&self, _visit: VisitSeries<'_>) {}

    /// Returns the exemplars of the series with these label values, each with its bucket; 0 for a counter. Also for a
    /// metric in the SDK.
    fn exemplars(&self, _labels: &[&str]) -> Vec<(usize, Exemplar)> {
        Vec::new()
    }
}

/// A declared metric, registered by the macro.
pub trait RegisteredMetric: Readable {
    /// Returns the concrete metric, for downcasts.
    fn as_any(&self) -> &dyn Any;

    /// Creates the instrument. Called once, when telemetry starts.
    fn install(&'static self, context: &InstallContext<'_>);

    /// Visits each label with its number of records folded to `other`. Nothing while the metric has no series.
    fn visit_folds(&self, _visit: &mut dyn FnMut(&'static str, u64)) {}

    /// Returns how many observations were dropped at the series limit; `None` without labels or observations.
    fn observations_dropped(&self) -> Option<u64> {
        None
    }
}

/// Settings for the installation of metrics.
pub struct InstallContext<'start> {
    /// Meter that creates the SDK instruments.
    pub meter: &'start Meter,
    /// Whether recorded metrics of a kind are stored in the SDK.
    pub is_in_sdk: &'start dyn Fn(Kind) -> bool,
    /// Applies the configured views to a metric.
    pub view: &'start dyn Fn(&'static Declaration) -> ViewOutcome<'start>,
}

impl<'start> InstallContext<'start> {
    /// Returns the storage of recorded metrics of a kind.
    pub fn storage(&self, kind: Kind) -> Storage<'start> {
        match (self.is_in_sdk)(kind) {
            true => Storage::Sdk(self.meter),
            false => Storage::Native,
        }
    }
}

/// Effect of the configured views on a metric.
#[derive(Debug, Clone, Copy)]
pub enum ViewOutcome<'start> {
    /// No view matches: the metric is as declared.
    Declared,
    /// Replaces the bucket boundaries, if the metric is a histogram.
    Boundaries(&'start [f64]),
    /// The metric is neither exported nor in the Prometheus text.
    Dropped,
}

impl std::fmt::Debug for InstallContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstallContext").finish_non_exhaustive()
    }
}

/// Every declared metric of the program, in no particular order.
#[distributed_slice]
pub static ALL: [&'static dyn RegisteredMetric];

/// Returns the built-in metric that this function records, if it has the type `M`.
pub(crate) fn of_function<M: 'static>(function: &str) -> Option<&'static M> {
    let mut all = ALL.iter().filter(|metric| {
        let declaration = metric.declaration();
        declaration.function == function && naming::is_built_in(declaration)
    });
    all.find_map(|metric| metric.as_any().downcast_ref())
}

/// Returns the metric with this name.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn RegisteredMetric> {
    let mut all = ALL.iter().copied();
    all.find(|metric| metric.declaration().name == name)
}

/// Returns the exemplars of a series that the SDK stores. `value_of` returns the value of a label.
pub(crate) fn exemplars<'a>(
    metric: &dyn RegisteredMetric,
    value_of: impl Fn(&str) -> Option<&'a str>,
) -> Vec<(usize, Exemplar)> {
    let labels = metric.declaration().labels.iter();
    let values: Option<Vec<_>> = labels.map(|label| value_of(label.name)).collect();
    values.map_or_else(Vec::new, |values| metric.exemplars(&values))
}
