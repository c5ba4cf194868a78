//! `rustok-server --traffic`, as a newcomer starts it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use xtask::workspace;

/// A running service under its own traffic, and what it printed.
pub(crate) struct Service {
    process: Child,
    /// The address of its console.
    pub(crate) console: String,
    /// The first line that it printed.
    pub(crate) first_line: String,
}

impl Service {
    /// Starts it without a Collector, with a database in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new(program());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().to_ascii_uppercase();
            if text.starts_with("OTEL_") || text.ends_with("_PROXY") || text == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        let mut process = command
            .args(["--traffic", "--port", "0", "--database"])
            .arg(folder.join("catalogue.db"))
            // Nothing listens there: the page says so, and works.
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the service starts");
        let stdout = process.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let mut first_line = None;
        let console = lines.find_map(|line| {
            first_line.get_or_insert_with(|| line.clone());
            let address = line.strip_prefix("rustok-server: console: ")?;
            Some(address.to_owned())
        });
        // Reads the rest of the output: a full pipe would block the service.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            console: console.expect("the address of the console"),
            first_line: first_line.expect("a line"),
        }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        let id = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), Signal::TERM).expect("the signal is sent");
        let started = Instant::now();
        while self.process.try_wait().expect("it is a child").is_none() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the service does not stop"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already where the test stopped it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program, built from the present sources with the features of `cargo test --workspace`.
fn program() -> PathBuf {
    let status = workspace::cargo()
        .args([
            "test",
            "--workspace",
            "--no-run",
            "--quiet",
            "--test",
            "service",
        ])
        .status();
    assert!(status.expect("cargo runs").success(), "it does not build");
    // target/<profile>/deps/console-… → target/<profile>/<name>
    let test = std::env::current_exe().expect("a path");
    let profile = test.ancestors().nth(2).expect("a folder");
    profile.join("rustok-server")
}
