//! What the set-up needs from every metric, whatever its kind.

use linkme::distributed_slice;
use opentelemetry::metrics::Meter;

use super::{Declaration, instrument::Keeper};

/// A declared metric. The macro registers one for each declaration.
pub trait Registered: Send + Sync {
    /// The catalogue entry.
    fn declaration(&self) -> &'static Declaration;

    /// Makes the instrument. Called once, when telemetry starts.
    fn install(&'static self, meter: &Meter, keeper: Keeper);

    /// Tells for each label how many records were folded into `other`.
    fn visit_folds(&self, visit: &mut dyn FnMut(&'static str, u64));

    /// Whether functions are called to read it. They may record on other metrics, so they are called before those are
    /// read.
    fn is_observed(&self) -> bool {
        false
    }

    /// For a metric with labels that is observed: how many observations were left out at its limit.
    fn observations_dropped(&self) -> Option<u64> {
        None
    }
}

/// Every declared metric of the program, in no particular order.
#[distributed_slice]
pub static ALL: [&'static dyn Registered];
