//! `cargo xtask dashboards`: generates the Grafana dashboards, or checks that they are up to date.

use std::process::ExitCode;

use clap::Args;
use xtask::dashboards::generate;

use super::Error;
use super::generated::write_or_check;

/// Generate the dashboards in grafana/dashboards.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is stale.
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    write_or_check(generate()?, options.check, "cargo xtask dashboards")
}
