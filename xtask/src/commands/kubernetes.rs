//! `cargo xtask kubernetes`: generates the Prometheus Operator's rules, or checks that they are up to date.

use std::process::ExitCode;

use clap::Args;
use xtask::kubernetes::generate;

use super::Error;
use super::generated::write_or_check;

/// Generate kubernetes/base/observability/rules.yaml from prometheus/*_rules.yml.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing; fail if the file is stale.
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    write_or_check(generate()?, options.check, "cargo xtask kubernetes")
}
