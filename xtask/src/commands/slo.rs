//! `cargo xtask slo`: generates the rules of the service level objectives, or checks that they are up to date.

use std::process::ExitCode;

use clap::Args;
use xtask::slo::generate;

use super::Error;
use super::generated::write_or_check;

/// Generate prometheus/slo_rules.yml and prometheus/tests/slo.yml from prometheus/slo.yaml.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is stale.
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    write_or_check(generate()?, options.check, "cargo xtask slo")
}
