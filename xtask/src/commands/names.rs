//! `cargo xtask names`: writes dashboards and rules with the names that a service gives the built-in metrics.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use xtask::names::Names;
use xtask::workspace;

use super::Error;

/// Write dashboards and rules for a service that sets the names of the built-in metrics.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The prefix that the service gives to `Builder::metric_prefix`.
    #[arg(long, default_value = "rustok")]
    prefix: String,
    /// For a service that calls `Builder::without_tenants`.
    #[arg(long)]
    without_tenants: bool,
    /// Folder for the files; they are written below grafana/ and prometheus/ in it.
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let files = Names::new(&options.prefix, options.without_tenants)?.files()?;
    fs::create_dir_all(&options.output)?;
    if options.output.canonicalize()? == workspace::root().canonicalize()? {
        return Err(
            "--output is this workspace, whose files would be overwritten: choose another folder"
                .into(),
        );
    }
    for file in &files {
        let path = options.output.join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, &file.content)?;
    }
    println!(
        "written: {} files below {}",
        files.len(),
        options.output.display()
    );
    Ok(ExitCode::SUCCESS)
}
