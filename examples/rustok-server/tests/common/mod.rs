//! Starts the real program and talks to it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A running service, on a free port and with a database of its own.
pub(crate) struct Server {
    process: Child,
    /// The first line on its standard output.
    pub(crate) first_line: String,
    /// Its address.
    pub(crate) url: String,
    /// The address of the inventory that it started.
    pub(crate) inventory: String,
}

impl Server {
    /// Starts it and waits until it listens.
    pub(crate) fn start(more: &[&str]) -> Self {
        let database = scratch("test.db");
        let mut process = program()
            .args(["--port", "0", "--database"])
            .arg(database)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = process.stdout.take().expect("it has a standard output");
        let (mut url, mut inventory) = (None, None);
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let mut lines = lines.peekable();
        let first_line = lines.peek().cloned().unwrap_or_default();
        for line in lines {
            let told = line.split_once(": listening on ");
            match told.map(|(program, url)| (program, url.trim_end_matches('/').to_owned())) {
                Some(("rustok-inventory", told)) => inventory = Some(told),
                Some((_, told)) => url = Some(told),
                None => {}
            }
            if url.is_some() {
                break;
            }
        }
        Self {
            process,
            first_line,
            url: url.expect("it says where it listens"),
            inventory: inventory.expect("it says where its inventory listens"),
        }
    }

    /// Its port.
    pub(crate) fn port(&self) -> &str {
        self.url
            .rsplit(':')
            .next()
            .expect("an address ends with a port")
    }

    /// Sends a signal to it.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.process.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Some(status) = self.process.try_wait().expect("it is a child") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it hasn't ended within {limit:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the program to its end; gives the exit status and what it said on standard error.
pub(crate) fn run(args: &[&str]) -> (Option<i32>, String) {
    run_with(args, &[])
}

/// The same with variables in its environment.
pub(crate) fn run_with(args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut process = program()
        .envs(variables.iter().copied())
        .args(args)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = String::new();
    let stderr = process.stderr.as_mut().expect("it has a standard error");
    stderr.read_to_string(&mut said).expect("it speaks UTF-8");
    (process.wait().expect("it is a child").code(), said)
}

/// A path that no other test uses, where no file is.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = format!(
        "{}-{}-{number}",
        env!("CARGO_CRATE_NAME"),
        std::process::id()
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).expect("the folder for tests is writable");
    folder.join(name)
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("the folder's name is UTF-8")
}

/// The program, with an environment that sends nothing anywhere.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustok-server"));
    for name in ["PORT", "HOST", "DATABASE_URL", "INVENTORY_URL"] {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("OTEL_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command
        .env("OTEL_TRACES_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "none")
        .env("RUST_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}
