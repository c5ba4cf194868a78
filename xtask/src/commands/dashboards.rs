//! `cargo xtask dashboards`: writes the Grafana dashboards, or checks that they are fresh.

use std::process::ExitCode;

use clap::Args;
use xtask::dashboards::generate;

use super::Error;
use super::generated::write_or_check;

/// Write the dashboards below grafana/dashboards anew.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is not as it should be.
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    write_or_check(generate()?, options.check, "cargo xtask dashboards")
}
