//! Development tasks of this workspace: `cargo xtask <command>`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program prints its results"
)]

mod commands;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};
use commands::{
    bench, catalogue, dashboards, demo, faults, fuzz, kubernetes, names, scale, semver, size, slo,
    stack, test,
};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Development tasks of this workspace")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(subcommand)]
    Stack(stack::Command),
    /// Run the stack and the reference service with traffic; Ctrl-C stops both.
    Demo(stack::Up),
    Bench(bench::Options),
    Catalogue(catalogue::Options),
    Dashboards(dashboards::Options),
    Faults(faults::Options),
    Fuzz(fuzz::Options),
    Kubernetes(kubernetes::Options),
    Names(names::Options),
    Scale(scale::Options),
    Semver(semver::Options),
    Size(size::Options),
    Slo(slo::Options),
    Test(test::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = cancelled_by_signals().and_then(|cancelled| match arguments.command {
        Command::Stack(command) => stack::run(command, cancelled),
        Command::Demo(options) => demo::run(&options, cancelled),
        Command::Bench(options) => bench::run(&options),
        Command::Catalogue(options) => catalogue::run(&options),
        Command::Dashboards(options) => dashboards::run(&options),
        Command::Faults(options) => faults::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Kubernetes(options) => kubernetes::run(&options),
        Command::Names(options) => names::run(&options),
        Command::Scale(options) => scale::run(&options),
        Command::Semver(options) => semver::run(&options),
        Command::Size(options) => size::run(&options),
        Command::Slo(options) => slo::run(&options),
        Command::Test(options) => test::run(&options, cancelled),
    });
    xtask::children::wait_if_signalled();
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Returns a flag that the first SIGINT or SIGTERM sets. The second one ends the program at once.
fn cancelled_by_signals() -> Result<Arc<AtomicBool>, commands::Error> {
    let cancelled = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&cancelled))?;
        flag::register(signal, Arc::clone(&cancelled))?;
    }
    Ok(cancelled)
}
