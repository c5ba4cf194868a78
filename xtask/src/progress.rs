//! What a long task says while it works, and how it is told to stop.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// One thing to show.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A line that stays.
    Note(&'a str),
    /// How far the current step has come; the next one takes its place.
    Tick(&'a str),
}

/// Shows progress, and knows whether the user has asked to stop.
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

    /// Stops the work soon after `flag` becomes true.
    #[must_use]
    pub fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancelled = flag;
        self
    }

    /// Shows a line that stays.
    pub fn note(&mut self, text: &str) {
        (self.show)(Progress::Note(text));
    }

    /// Shows how far the current step has come.
    pub fn tick(&mut self, text: &str) {
        (self.show)(Progress::Tick(text));
    }

    /// Whether the work should stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

/// Without a terminal, a step that goes on is mentioned this often.
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
        // `write!` and not `eprint!`: a test harness must not swallow what takes minutes.
        // There is nobody to tell when standard error is closed, so failures are ignored.
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
