//! The inventory as a process beside this one, started from the same program file.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use url::Url;

use crate::errors::{Exit, Fatal};

/// How long the process may take to listen.
const START_TIME: Duration = Duration::from_secs(20);
/// How long it may take to stop, which includes its last export of telemetry.
const STOP_TIME: Duration = Duration::from_secs(15);

/// A running inventory. It stops with this process, however this process ends.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    /// Kept open: the inventory stops when it closes.
    stdin: Option<ChildStdin>,
    url: Url,
}

/// The service says for both when no Collector answers; the inventory needn't repeat it.
fn log_directives() -> String {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() { "info" } else { &wanted };
    format!("{wanted},rustok_telemetry::delivery=off")
}

impl Child {
    /// Starts the inventory on a free port of the loopback interface.
    ///
    /// # Errors
    /// When it doesn't start, or doesn't say where it listens.
    pub async fn start(console: bool) -> Result<Self, Fatal> {
        let program = std::env::current_exe().map_err(|error| cannot_start(&error))?;
        let mut process = Command::new(program)
            .args(["inventory", "--port", "0", "--stop-with-stdin"])
            .args((!console).then_some("--no-console"))
            .env_remove("PORT")
            .env_remove("HOST")
            .env_remove("DATABASE_URL")
            .env_remove("INVENTORY_URL")
            .env("RUST_LOG", log_directives())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for this process, which still needs the inventory while it finishes.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot_start(&error))?;
        let stdin = process.stdin.take();
        let stdout = process
            .stdout
            .take()
            .ok_or_else(|| cannot_start(&"no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let url = timeout(START_TIME, address(&mut lines))
            .await
            .map_err(|_| cannot_start(&"it doesn't say where it listens"))??;
        tokio::spawn(pass_on(lines));
        Ok(Self {
            process,
            stdin,
            url,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Tells it to stop, and waits for it.
    pub async fn stop(mut self) {
        drop(self.stdin.take());
        match timeout(STOP_TIME, self.process.wait()).await {
            Ok(Ok(status)) if status.success() => {}
            Ok(ended) => tracing::warn!(?ended, "the inventory failed"),
            Err(_) => tracing::warn!("the inventory didn't stop in time and is killed"),
        }
    }
}

/// Reads up to the line that says where it listens.
async fn address(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Url, Fatal> {
    while let Some(line) = lines
        .next_line()
        .await
        .map_err(|error| cannot_start(&error))?
    {
        if let Some((_, url)) = line.split_once("listening on ") {
            return Url::parse(url.trim()).map_err(|error| cannot_start(&error));
        }
    }
    Err(cannot_start(&"it ended at once; its own message is above"))
}

/// Reads on, so that the inventory can write on.
async fn pass_on(mut lines: Lines<BufReader<ChildStdout>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::info!(target: "rustok_inventory", "{line}");
    }
}

fn cannot_start(reason: &dyn std::fmt::Display) -> Fatal {
    Fatal::new(
        Exit::Unavailable,
        format!(
            "the inventory service can't be started: {reason}; INVENTORY_URL names one that runs already"
        ),
    )
}
