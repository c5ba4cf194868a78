//! The alerts. A panel that shows what an alert watches takes its threshold from here.

mod guide;
mod telemetry;

pub use guide::*;
pub use telemetry::*;

/// An alert: its name, and when it fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alert {
    /// The name in `prometheus/alert_rules.yml`, and its heading in the runbook.
    pub name: &'static str,
    /// When it fires.
    pub fires: Fires,
    /// How bad that is.
    pub severity: Severity,
}

/// The condition of an alert, in the unit of the metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fires {
    /// When the value is greater.
    Above(f64),
    /// When the value is less.
    Below(f64),
    /// When the value is this.
    At(f64),
}

/// How bad it is when an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Somebody has to look today.
    Warning,
    /// Somebody has to look now.
    Critical,
}

impl Fires {
    /// The number.
    pub fn threshold(self) -> f64 {
        match self {
            Self::Above(number) | Self::Below(number) | Self::At(number) => number,
        }
    }
}
