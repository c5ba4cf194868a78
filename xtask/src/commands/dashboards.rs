//! `cargo xtask dashboards`: generates the Grafana dashboards, checks that they are up to date, or draws them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use xtask::dashboards::generate;
use xtask::render::render;

use super::Error;
use super::generated::write_or_check;

/// Generate the dashboards in grafana/dashboards.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is stale.
    #[arg(long)]
    pub(crate) check: bool,
    /// Draw the dashboards with the data of this Prometheus, such as http://127.0.0.1:9090, instead. Needs Node, and
    /// fetches 444 MB of packages at first.
    #[arg(long, value_name = "URL", conflicts_with = "check")]
    pub(crate) render: Option<String>,
    /// The time range of the pictures, up to now.
    #[arg(long, default_value_t = 15, requires = "render")]
    pub(crate) minutes: u32,
    /// A regular expression of the services in the pictures.
    #[arg(long, default_value = ".+", requires = "render")]
    pub(crate) job: String,
    /// The folder of the pictures.
    #[arg(long, default_value = "docs/images/dashboards", requires = "render")]
    pub(crate) output: PathBuf,
}

impl Options {
    pub(crate) fn check() -> Self {
        Self {
            check: true,
            render: None,
            minutes: 0,
            job: String::new(),
            output: PathBuf::new(),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    if let Some(prometheus) = &options.render {
        for picture in render(prometheus, options.minutes, &options.job, &options.output)? {
            println!("drawn: {}", picture.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    write_or_check(generate()?, options.check, "cargo xtask dashboards")
}
