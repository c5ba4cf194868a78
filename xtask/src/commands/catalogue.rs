//! `cargo xtask catalogue`: generates documentation from the SDK's tables, or checks that it is up to date.

use std::process::ExitCode;

use clap::Args;
use xtask::catalogue::generate;

use super::Error;
use super::generated::write_or_check;

/// Generate docs/metrics.md, docs/catalogue.json and docs/environment.md.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is stale.
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    write_or_check(generate(), options.check, "cargo xtask catalogue")
}
