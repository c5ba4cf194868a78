//! The Python package `prometheus_client`, whose parser of OpenMetrics is independent of this project.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::workspace;

const VERSION: &str = "0.26.0";

/// Returns an interpreter that can import `prometheus_client`. The first call creates a virtual environment in the user's
/// cache folder, which needs `python3` with its module `venv`, and installs the package by `pip`.
///
/// # Errors
///
/// If there is no cache folder, or a step fails.
pub fn with_prometheus_client() -> io::Result<PathBuf> {
    let cache = workspace::cache_folder()
        .ok_or_else(|| io::Error::other("neither XDG_CACHE_HOME nor HOME is set"))?;
    let environment = cache
        .join("tools")
        .join(format!("prometheus_client-{VERSION}"));
    let python = environment.join("bin/python");
    if python.is_file() {
        return Ok(python);
    }
    // Created beside it and renamed, so that a failed installation leaves nothing behind.
    let unfinished = environment.with_extension(std::process::id().to_string());
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&unfinished))?;
    run(Command::new(unfinished.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .arg(format!("prometheus_client=={VERSION}")))?;
    std::fs::rename(&unfinished, &environment)?;
    Ok(python)
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "{command:?} failed: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
    }
}
