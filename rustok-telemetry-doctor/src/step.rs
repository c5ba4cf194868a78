//! One step of the live check, and its result.

use std::time::{Duration, Instant};

/// A step of the live check.
#[derive(Debug)]
pub struct Step {
    /// `resolve`, `connect`, `send`, `traces`, `metrics`, `logs`, `jaeger` or `prometheus`.
    pub name: &'static str,
    /// The host, address or URL, without secrets.
    pub target: String,
    pub result: StepResult,
    pub elapsed: Duration,
}

/// The result of a step.
#[derive(Debug)]
pub enum StepResult {
    /// With what was seen.
    Ok(String),
    /// With the reason.
    Skipped(String),
    Failed {
        seen: String,
        /// The likely cause.
        cause: String,
        /// What to do.
        remedy: String,
    },
}

impl Step {
    /// Runs the step and measures its time.
    pub fn time(
        name: &'static str,
        target: impl Into<String>,
        act: impl FnOnce() -> StepResult,
    ) -> Self {
        let started = Instant::now();
        let result = act();
        Self {
            name,
            target: target.into(),
            result,
            elapsed: started.elapsed(),
        }
    }

    /// A step that does not run.
    pub fn skipped(name: &'static str, target: impl Into<String>, why: impl Into<String>) -> Self {
        Self::time(name, target, || StepResult::Skipped(why.into()))
    }

    pub fn is_ok(&self) -> bool {
        matches!(self.result, StepResult::Ok(_))
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.result, StepResult::Failed { .. })
    }
}

impl StepResult {
    pub fn failed(
        seen: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Failed {
            seen: seen.into(),
            cause: cause.into(),
            remedy: remedy.into(),
        }
    }
}
