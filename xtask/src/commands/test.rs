//! `cargo xtask test`: everything that CI runs, in the order in which a mistake shows soonest.

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use xtask::progress::Reporter;
use xtask::stack::programs::{self, Program};
use xtask::tools::{DENY, NEXTEST};
use xtask::{tools::Tool, workspace};

use super::{Error, catalogue, dashboards, slo};

/// Run everything that CI runs: style, documentation, licences, tests, and the end-to-end test.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leave out the tests that need the Collector, Prometheus and Jaeger.
    #[arg(long)]
    fast: bool,
}

pub(crate) fn run(options: &Options, cancelled: Arc<AtomicBool>) -> Result<ExitCode, Error> {
    let started = Instant::now();
    let steps = Steps {
        cancelled: Arc::clone(&cancelled),
    };
    steps.cargo("formatting", &["fmt", "--all", "--check"], &[])?;
    steps.announce("generated files");
    let fresh = [
        catalogue::run(&catalogue::Options { check: true })?,
        dashboards::run(&dashboards::Options { check: true })?,
        slo::run(&slo::Options { check: true })?,
    ];
    if fresh != [ExitCode::SUCCESS; 3] {
        return Err("generated files are stale".into());
    }
    if !options.fast {
        // Before anything is timed: the first build takes minutes.
        steps.announce("programs of the stack");
        let mut reporter = Reporter::stderr().cancelled_by(cancelled);
        for program in Program::ALL {
            programs::locate(program, &mut reporter)?;
        }
    }
    steps.cargo(
        "lints",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ],
        &[],
    )?;
    steps.cargo(
        "documentation",
        &["doc", "--workspace", "--all-features", "--no-deps"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    steps.tool(
        "licences and sources",
        DENY,
        &["check", "bans", "licenses", "sources"],
    )?;
    let profile = if std::env::var_os("CI").is_some() {
        "ci"
    } else {
        "default"
    };
    let mut tests = vec!["run", "--workspace", "--all-features", "--profile", profile];
    if options.fast {
        tests.extend(["-E", "not package(xtask)"]);
    }
    steps.cargo(
        "examples in the documentation",
        &["test", "--workspace", "--all-features", "--doc"],
        &[],
    )?;
    steps.tool("tests", NEXTEST, &[&["nextest"], tests.as_slice()].concat())?;
    for protocol in ["http", "grpc"] {
        let title = format!("a build with nothing but {protocol}");
        let arguments = [
            "nextest",
            "run",
            "-p",
            "rustok-telemetry",
            "--test",
            "left_out",
        ];
        let features = ["--no-default-features", "--features", protocol];
        steps.tool(&title, NEXTEST, &[arguments.as_slice(), &features].concat())?;
    }
    println!("Everything passed in {} s.", started.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

struct Steps {
    cancelled: Arc<AtomicBool>,
}

impl Steps {
    fn announce(&self, title: &str) {
        println!("── {title}");
    }

    fn cargo(
        &self,
        title: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<(), Error> {
        self.announce(title);
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).envs(variables.iter().copied());
        self.finish(title, command)
    }

    fn tool(&self, title: &str, tool: Tool, arguments: &[&str]) -> Result<(), Error> {
        self.announce(title);
        let mut command = Command::new(tool.path()?);
        // nextest builds every program of the workspace before it runs the first test.
        command.args(arguments).env("RUSTOK_SERVER_IS_BUILT", "1");
        self.finish(title, command)
    }

    fn finish(&self, title: &str, mut command: Command) -> Result<(), Error> {
        let started = Instant::now();
        let status = command.current_dir(workspace::root()).status()?;
        if self.cancelled.load(Ordering::Relaxed) {
            return Err("cancelled".into());
        }
        if !status.success() {
            return Err(format!("{title}: {command:?} failed: {status}").into());
        }
        println!("   {title}: {} s", started.elapsed().as_secs());
        Ok(())
    }
}
