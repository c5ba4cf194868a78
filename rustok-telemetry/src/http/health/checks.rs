//! Checks of readiness: run at the same time, each on its own, within a bound.

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

/// A check, and whether it passed the last time.
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

    /// Logs when it stops passing, and when it passes again.
    fn tell(&self, outcome: &CheckOutcome) {
        let failing = !outcome.passed();
        if self.failing.swap(failing, Ordering::Relaxed) == failing {
            return;
        }
        let name = &self.name;
        match outcome {
            CheckOutcome::Passed => tracing::info!("the check of {name} passes again"),
            CheckOutcome::Failed(error) => tracing::warn!("the check of {name} fails: {error}"),
            CheckOutcome::TimedOut => tracing::warn!("the check of {name} is not done in time"),
            CheckOutcome::Panicked => tracing::warn!("the check of {name} panics"),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// What became of a check.
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

    /// As the answer says it. What a check said may be secret, and is not told.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
        }
    }
}

/// Runs all checks at the same time. Whatever is not done in time, or not needed any more since the caller went away,
/// is dropped.
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
        check.tell(&outcome);
        let name = check.name.clone();
        checked.push(Checked {
            name,
            outcome,
            elapsed,
        });
    }
    checked
}

/// A check that runs; stopped when this is dropped.
struct Task(JoinHandle<(Result<(), String>, Duration)>);

impl Task {
    /// The check is begun within the task, so that a panic at its very beginning stays there.
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
