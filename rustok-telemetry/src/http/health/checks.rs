//! Readiness checks: run concurrently, as one task each, within a timeout.

use std::{
    fmt::{self, Display},
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// A check, and whether it failed the last time.
pub(super) struct Check {
    name: String,
    begin: Arc<dyn Fn() -> Running + Send + Sync>,
    failing: AtomicBool,
}

type Running = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

impl Check {
    pub(super) fn new<F, R, E>(name: String, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let begin = move || {
            let running = check();
            Box::pin(async move { running.await.map_err(|error| error.to_string()) }) as Running
        };
        Self {
            name,
            begin: Arc::new(begin),
            failing: AtomicBool::new(false),
        }
    }

    /// Logs the first failure, and the recovery.
    fn log_change(&self, outcome: &CheckOutcome) {
        let failing = !outcome.passed();
        if self.failing.swap(failing, Ordering::Relaxed) == failing {
            return;
        }
        let name = &self.name;
        let failure = match outcome {
            CheckOutcome::Passed => return tracing::info!("readiness check {name} passes again"),
            CheckOutcome::Failed(error) => format!("failed: {error}"),
            CheckOutcome::TimedOut => "timed out".to_owned(),
            CheckOutcome::Panicked => "panicked".to_owned(),
        };
        tracing::warn!(
            "readiness check {name} {failure}. Further failures are not logged until it passes."
        );
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// The result of one run of a check.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) outcome: CheckOutcome,
    pub(super) elapsed: Duration,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum CheckOutcome {
    Passed,
    Failed(String),
    TimedOut,
    Panicked,
}

impl CheckOutcome {
    pub(super) fn passed(&self) -> bool {
        *self == Self::Passed
    }

    /// The name in the response. The error may hold secrets and is not in the response.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
        }
    }
}

/// Runs all checks concurrently. Checks that are not finished at the timeout, or when the caller goes away, are aborted.
pub(super) async fn run(checks: &[Check], timeout: Duration) -> Vec<Checked> {
    let started = Instant::now();
    let deadline = started + timeout;
    let tasks: Vec<_> = checks
        .iter()
        .map(|check| Task::spawn(check, started))
        .collect();
    let mut checked = Vec::new();
    for (check, mut task) in checks.iter().zip(tasks) {
        let (outcome, elapsed) = match timeout_at(deadline, &mut task.0).await {
            Ok(Ok((Ok(()), elapsed))) => (CheckOutcome::Passed, elapsed),
            Ok(Ok((Err(error), elapsed))) => (CheckOutcome::Failed(error), elapsed),
            Ok(Err(_)) => (CheckOutcome::Panicked, started.elapsed()),
            Err(_) => (CheckOutcome::TimedOut, started.elapsed()),
        };
        check.log_change(&outcome);
        checked.push(Checked {
            name: check.name.clone(),
            outcome,
            elapsed,
        });
    }
    checked
}

/// A running check. Dropping it aborts the check.
struct Task(JoinHandle<(Result<(), String>, Duration)>);

impl Task {
    /// Begins the check within the task, which catches its panics.
    fn spawn(check: &Check, started: Instant) -> Self {
        let begin = Arc::clone(&check.begin);
        Self(tokio::spawn(async move {
            let result = begin().await;
            (result, started.elapsed())
        }))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
