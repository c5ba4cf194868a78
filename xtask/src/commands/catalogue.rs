//! `cargo xtask catalogue`: writes what is generated from the SDK's tables, or checks that it is fresh.

use std::fs;
use std::process::ExitCode;

use clap::Args;
use xtask::catalogue::generate;
use xtask::workspace;

use super::Error;

/// Write docs/metrics.md, docs/catalogue.json and docs/environment.md anew.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is not as it should be.
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let mut stale = Vec::new();
    for file in generate() {
        let path = workspace::root().join(file.path);
        if fs::read_to_string(&path).is_ok_and(|current| current == file.content) {
            continue;
        }
        if let Some(folder) = path.parent().filter(|_| !options.check) {
            fs::create_dir_all(folder)?;
        }
        if options.check {
            stale.push(file.path);
        } else {
            fs::write(&path, &file.content)?;
            println!("written: {}", file.path);
        }
    }
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "stale: {}. Run `cargo xtask catalogue` and commit the result.",
        stale.join(", ")
    );
    Ok(ExitCode::FAILURE)
}
