//! Runs an example as its users do. The tests of the examples share this file.

// Each test uses a part of it.
#![allow(dead_code)]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;

/// Ample time for what takes milliseconds.
const LIMIT: Duration = Duration::from_secs(20);

/// A running program. Dropping it kills the program.
pub(crate) struct Program {
    child: Child,
    stdout: Output,
    stderr: Output,
}

/// A program that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.env_remove("RUST_LOG").stdin(Stdio::piped());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdout = Output::of(child.stdout.take().expect("it is piped"));
        let stderr = Output::of(child.stderr.take().expect("it is piped"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("it was not taken before")
    }

    /// Waits for a line on standard error with this text, and returns the rest of the line.
    pub(crate) fn after(&self, text: &str) -> String {
        wait_for(text, || {
            let written = self.stderr.text();
            let (complete, _) = written.rsplit_once('\n')?;
            let mut found = complete.lines().filter_map(|line| line.split_once(text));
            found.next().map(|(_, rest)| rest.to_owned())
        })
    }

    /// Ends the program as Ctrl-C does.
    pub(crate) fn interrupt(self) -> Ended {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.expect("kill runs").success());
        self.end()
    }

    /// Waits for the end of the program.
    pub(crate) fn end(mut self) -> Ended {
        let status = wait_for("its end", || self.child.try_wait().expect("a status"));
        Ended {
            code: status.code(),
            stdout: self.stdout.all(),
            stderr: self.stderr.all(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The spans that the exporter `console` has written, in the order of their ends.
    pub(crate) fn spans(&self) -> Vec<Value> {
        let lines = self.stdout.lines().map(serde_json::from_str);
        let values = lines.map(|line| line.expect("a line of JSON"));
        values
            .filter(|line: &Value| line["span"].is_string())
            .collect()
    }

    /// The only span of this name.
    pub(crate) fn span(&self, name: &str) -> Value {
        let mut spans = self.spans();
        spans.retain(|span| span["span"] == name);
        assert_eq!(spans.len(), 1, "{name} in:\n{}", self.stdout);
        spans.remove(0)
    }
}

/// Asserts that the text has these lines.
pub(crate) fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        let found = text.lines().any(|found| found == *line);
        assert!(found, "{line} in:\n{text}");
    }
}

/// Waits until there is a value.
pub(crate) fn wait_for<T>(what: &str, mut value: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = value() {
            return value;
        }
        assert!(started.elapsed() < LIMIT, "waited for: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a program has written so far.
struct Output {
    text: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Output {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<String>>::default();
        let read = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
                read.lock().expect("no panic").push_str(&line);
                line.clear();
            }
        });
        Self { text, reader }
    }

    fn text(&self) -> String {
        self.text.lock().expect("no panic").clone()
    }

    /// Everything that it has written until its end.
    fn all(&self) -> String {
        wait_for("the end of its output", || {
            self.reader.is_finished().then(|| self.text())
        })
    }
}
