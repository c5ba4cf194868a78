//! Progress messages and cancellation of long tasks.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A progress message.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A line that stays.
    Note(&'a str),
    /// The progress of the current step. The next message replaces it.
    Tick(&'a str),
}

/// Shows progress, and carries the user's request to cancel.
pub struct Reporter {
    show: Box<dyn FnMut(Progress<'_>) + Send>,
    cancelled: Arc<AtomicBool>,
}

impl Reporter {
    /// Shows progress by calling `show`.
    pub fn new(show: impl FnMut(Progress<'_>) + Send + 'static) -> Self {
        Self {
            show: Box::new(show),
            cancelled: Arc::default(),
        }
    }

    /// Shows nothing.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    /// Writes to standard error: one line that changes on a terminal, else a line every 20 s.
    pub fn stderr() -> Self {
        let mut lines = StderrLines::new();
        Self::new(move |progress| lines.show(progress))
    }

    /// Cancels the task when `flag` becomes true.
    #[must_use]
    pub fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancelled = flag;
        self
    }

    /// Shows a line that stays.
    pub fn note(&mut self, text: &str) {
        (self.show)(Progress::Note(text));
    }

    /// Shows the progress of the current step.
    pub fn tick(&mut self, text: &str) {
        (self.show)(Progress::Tick(text));
    }

    /// Returns whether the task is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

/// Interval of the lines about a running step if there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(20);

struct StderrLines {
    terminal: bool,
    last_line: Instant,
}

impl StderrLines {
    fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            last_line: Instant::now(),
        }
    }

    fn show(&mut self, progress: Progress<'_>) {
        // Not `eprint!`, which the test harness captures. Errors are ignored: standard error may be closed.
        let mut stderr = std::io::stderr().lock();
        let _ = match (progress, self.terminal) {
            (Progress::Note(text), true) => writeln!(stderr, "\r\x1b[K{text}"),
            (Progress::Note(text), false) => writeln!(stderr, "{text}"),
            (Progress::Tick(text), true) => write!(stderr, "\r\x1b[K{text}"),
            (Progress::Tick(_), false) if self.last_line.elapsed() < LINE_EVERY => return,
            (Progress::Tick(text), false) => writeln!(stderr, "{text}"),
        };
        let _ = stderr.flush();
        self.last_line = Instant::now();
    }
}
