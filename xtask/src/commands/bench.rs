//! `cargo xtask bench`: measures the SDK against its peers and writes docs/benchmarks.md.

use std::fs;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use xtask::workspace;

use super::Error;

mod instructions;

/// Measure the SDK against its peers, and write docs/benchmarks.md.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Few rounds, to the terminal only: the checks that every record arrives, in less than half a minute.
    #[arg(long)]
    quick: bool,
}

/// The parts, each with its heading. Each runs in a process of its own.
const PARTS: [(&str, &str, &[&str]); 8] = [
    (
        "Recording, text and OTLP both on",
        "rustok-benches",
        &["record", "--outlets", "both"],
    ),
    (
        "Recording, the text alone",
        "rustok-benches",
        &["record", "--outlets", "text"],
    ),
    ("The text", "rustok-benches", &["prometheus-render"]),
    ("Spans", "rustok-benches", &["span-layer"]),
    ("Requests", "rustok-benches", &["http-layer"]),
    ("A service", "rustok-benches", &["http-service"]),
    ("Memory", "rustok-benches", &["memory"]),
    ("Start", "start_memory", &[]),
];

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    build_service()?;
    let mut document = format!("{INTRODUCTION}\n{}\n", machine());
    for (heading, program, arguments) in PARTS {
        let quick = options.quick && !arguments.is_empty();
        let mut command = Command::new(env!("CARGO"));
        command
            .args([
                "run",
                "--release",
                "--quiet",
                "-p",
                "rustok-benches",
                "--bin",
                program,
                "--",
            ])
            .args(arguments)
            .args(quick.then_some("--quick"))
            .current_dir(workspace::root())
            .stderr(Stdio::inherit());
        let output = command.output()?;
        if !output.status.success() {
            return Err(format!("{command:?} failed: {}", output.status).into());
        }
        let tables = String::from_utf8(output.stdout)?;
        println!("\n## {heading}\n{tables}");
        document.push_str(&format!("\n## {heading}\n{tables}"));
    }
    let tables = instructions::table(options.quick)?;
    println!("\n## Instructions\n{tables}");
    document.push_str(&format!("\n## Instructions\n{tables}"));
    if !options.quick {
        fs::write(workspace::root().join("docs/benchmarks.md"), document)?;
        println!("written: docs/benchmarks.md");
    }
    Ok(ExitCode::SUCCESS)
}

/// The service that is measured as a process of its own, beside the benchmarks.
fn build_service() -> Result<(), Error> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--release", "--quiet", "-p", "rustok-server"])
        .args(["--bin", "rustok-server"])
        .current_dir(workspace::root());
    let status = command.status()?;
    if !status.success() {
        return Err(format!("{command:?} failed: {status}").into());
    }
    Ok(())
}

const INTRODUCTION: &str = "# Benchmarks

Written by `cargo xtask bench`. All rows of a table come from one run: rounds that alternate between the contenders,
and the median of the rounds. With two threads the figure is what a record takes on its thread. Label sets are visited
in an order without a pattern, so 10,000 series also cost cache misses. A table is printed only after every contender
was asked what it holds and had every record; ours also over OTLP. Allocations are those of one record of a known label
set, or of one span. Spans have a process for each contender, whose exporter and Collector rest while time is measured.
";

/// What it ran on, without names.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = Command::new("rustc")
        .arg("--version")
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    format!(
        "Machine: {cores} cores, {model}, {}; {}.",
        std::env::consts::OS,
        String::from_utf8_lossy(&rustc).trim()
    )
}
