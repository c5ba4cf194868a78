//! One step of the live check, and what became of it.

use std::time::{Duration, Instant};

/// A step: what was done to what, and what became of it.
#[derive(Debug)]
pub struct Step {
    /// `resolve`, `connect`, `traces`, `metrics`, `logs`, `jaeger` or `prometheus`.
    pub name: &'static str,
    /// The host, address or URL, without secrets.
    pub target: String,
    pub result: StepResult,
    pub elapsed: Duration,
}

/// What became of a step.
#[derive(Debug)]
pub enum StepResult {
    /// It succeeded; what was seen.
    Ok(String),
    /// It was not tried, and why not.
    Skipped(String),
    Failed(Failure),
}

/// Why a step failed, and what would be right.
#[derive(Debug)]
pub struct Failure {
    /// What was seen.
    pub seen: String,
    /// What is behind it, as far as can be told.
    pub cause: String,
    /// What to do.
    pub remedy: String,
}

impl Step {
    /// Does something, and notes how long it took.
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

    /// A step that is not taken.
    pub fn skipped(name: &'static str, target: impl Into<String>, why: impl Into<String>) -> Self {
        Self::time(name, target, || StepResult::Skipped(why.into()))
    }

    pub fn is_ok(&self) -> bool {
        matches!(self.result, StepResult::Ok(_))
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.result, StepResult::Failed(_))
    }
}

impl StepResult {
    pub fn failed(
        seen: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Failed(Failure {
            seen: seen.into(),
            cause: cause.into(),
            remedy: remedy.into(),
        })
    }
}
