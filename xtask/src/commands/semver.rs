//! `cargo xtask semver`: compares the public interface of the crates with that of a release.

use std::process::{Command, ExitCode};

use clap::Args;
use xtask::tools::SEMVER_CHECKS;
use xtask::workspace;

use super::Error;

/// Compare the public interface of the crates with that of the last release, by cargo-semver-checks.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The git revision to compare with, instead of the last tag `v*`.
    #[arg(long, value_name = "REVISION")]
    baseline: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let baseline = options.baseline.clone().or_else(last_release);
    let baseline = baseline.ok_or(
        "no tag `v*` in this clone, so no release to compare with: pass --baseline REVISION",
    )?;
    let status = command(&baseline)?.status()?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Returns the last tag `v*` before the current commit, if there is one.
pub(crate) fn last_release() -> Option<String> {
    let output = Command::new("git")
        .current_dir(workspace::root())
        .args(["describe", "--tags", "--match", "v*", "--abbrev=0"])
        .output()
        .ok()?;
    let tag = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !tag.is_empty()).then_some(tag)
}

/// Returns the command that compares the libraries with those of `baseline`.
pub(crate) fn command(baseline: &str) -> Result<Command, Error> {
    let mut command = Command::new(SEMVER_CHECKS.path()?);
    command.current_dir(workspace::root());
    command.args(["semver-checks", "check-release", "--all-features"]);
    command.args(["--package", "rustok-telemetry", "--baseline-rev", baseline]);
    Ok(command)
}
