//! `cargo xtask test`: everything that CI runs, fast steps first.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process_group};
use xtask::browser;
use xtask::progress::Reporter;
use xtask::python;
use xtask::stack::programs::{self, Program};
use xtask::tools::DENY;
use xtask::workspace;

use super::{Error, catalogue, dashboards, kubernetes, semver, slo};

/// Time limit of a step. Before it, libtest names a test that hangs: "… has been running for over 60 seconds".
const LIMIT: Duration = Duration::from_secs(3600);
const POLL: Duration = Duration::from_millis(100);

/// Run everything that CI runs: formatting, generated files, lints, documentation, licences and all tests.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Skip the tests that need the Collector, Prometheus and Jaeger.
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
        dashboards::run(&dashboards::Options::check())?,
        slo::run(&slo::Options { check: true })?,
        // After the objectives, whose rules it repeats.
        kubernetes::run(&kubernetes::Options { check: true })?,
    ];
    if fresh != [ExitCode::SUCCESS; 4] {
        return Err("generated files are stale".into());
    }
    if !options.fast {
        // Not part of a timed step: the first build takes minutes.
        steps.announce("programs of the stack");
        let mut reporter = Reporter::stderr().cancelled_by(cancelled);
        for program in Program::ALL {
            programs::locate(program, &mut reporter)?;
        }
        steps.announce("browser of the console's tests");
        browser::chromium()?;
        browser::axe()?;
        steps.announce("parser of OpenMetrics in Python");
        python::with_prometheus_client()?;
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
    steps.licences()?;
    steps.cargo(
        "packages",
        &[
            "package",
            "--allow-dirty",
            "--package",
            "rustok-telemetry-macros",
            "--package",
            "rustok-telemetry",
        ],
        &[],
    )?;
    // A crate that has not been released has no interface to keep.
    if let Some(release) = semver::last_release() {
        let title = "public interface since the last release";
        steps.announce(title);
        steps.finish(title, semver::command(&release)?)?;
    }
    let mut tests = vec!["test", "--workspace"];
    if options.fast {
        tests.extend(["--exclude", "xtask"]);
    }
    if std::env::var_os("CI").is_some() {
        tests.push("--no-fail-fast");
    }
    steps.cargo("tests", &tests, &[])?;
    steps.console_modules()?;
    for protocol in ["http", "grpc"] {
        let title = format!("tests of a build with {protocol} alone");
        let tests = ["test", "-p", "rustok-telemetry-reduced", "--features"];
        steps.cargo(&title, &[&tests[..], &[protocol]].concat(), &[])?;
    }
    steps.cargo("fuzz targets", &["xtask", "fuzz", "--seconds", "15"], &[])?;
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
        let mut command = workspace::cargo();
        command.args(arguments).envs(variables.iter().copied());
        self.finish(title, command)
    }

    /// The tests of the console's page that need no browser, by Node's own runner.
    fn console_modules(&self) -> Result<(), Error> {
        let title = "modules of the console's page";
        self.announce(title);
        let mut command = Command::new("node");
        command.current_dir(workspace::root().join("rustok-telemetry/console-tests"));
        // It finds them by their names: releases differ in what paths mean.
        command.arg("--test");
        self.finish(title, command)
    }

    fn licences(&self) -> Result<(), Error> {
        let title = "licences and sources";
        self.announce(title);
        let mut command = Command::new(DENY.path()?);
        command.current_dir(workspace::root());
        command.args(["check", "bans", "licenses", "sources"]);
        self.finish(title, command)
    }

    fn finish(&self, title: &str, mut command: Command) -> Result<(), Error> {
        let started = Instant::now();
        // A separate process group, so that its children can be killed with it.
        let mut process = command.process_group(0).spawn()?;
        let status = self.wait(&mut process, started + LIMIT)?;
        if self.cancelled.load(Ordering::Relaxed) {
            return Err("cancelled".into());
        }
        let Some(status) = status else {
            let minutes = LIMIT.as_secs() / 60;
            return Err(format!("{title}: {command:?} was killed after {minutes} min").into());
        };
        if !status.success() {
            return Err(format!("{title}: {command:?} failed: {status}").into());
        }
        println!("   {title}: {} s", started.elapsed().as_secs());
        Ok(())
    }

    /// Waits for the process. At the deadline, or when the user cancels, kills its process group and returns `None`.
    fn wait(&self, process: &mut Child, deadline: Instant) -> Result<Option<ExitStatus>, Error> {
        while !self.cancelled.load(Ordering::Relaxed) && Instant::now() < deadline {
            if let Some(status) = process.try_wait()? {
                return Ok(Some(status));
            }
            sleep(POLL);
        }
        let group = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // Fails if the process has just ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
        process.wait()?;
        Ok(None)
    }
}
