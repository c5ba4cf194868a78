//! How far a query looks back.

use std::fmt;

/// The range of a `rate` or an `increase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// As Grafana finds best for the resolution that is shown: at least four samples.
    Rate,
    /// The whole time that the dashboard shows.
    Shown,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rate => "$__rate_interval",
            Self::Shown => "$__range",
        })
    }
}
