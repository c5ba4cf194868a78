//! Ranges of queries.

use std::fmt;

/// The range of a `rate` or an `increase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// `$__rate_interval`: Grafana's choice for the resolution, at least four samples.
    Rate,
    /// `$__range`: the selected time range.
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
