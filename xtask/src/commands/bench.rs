//! `cargo xtask bench`: measures the SDK against its peers and writes docs/benchmarks.md.

use std::fs;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use xtask::{bench_summary, workspace};

use super::Error;

mod instructions;

/// Measure the SDK against its peers, and write docs/benchmarks.md.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run few rounds and print to the terminal only: checks in under half a minute that every record arrives.
    #[arg(long)]
    quick: bool,
    /// Measure this part alone, by its heading in docs/benchmarks.md, and replace its section.
    #[arg(long, value_parser = PARTS.map(|(heading, ..)| heading))]
    part: Vec<String>,
    /// Measure nothing: rewrite the summary of docs/benchmarks.md from its tables.
    #[arg(long, conflicts_with_all = ["quick", "part"])]
    summary: bool,
}

/// The parts with their headings. Each part runs in its own process.
const PARTS: [(&str, &str, &[&str]); 12] = [
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
    (
        "Recording, exemplars of sampled spans",
        "rustok-benches",
        &["exemplars", "--outlets", "text"],
    ),
    (
        "Recording, no exemplars",
        "rustok-benches",
        &[
            "exemplars",
            "--outlets",
            "text",
            "--exemplar-filter",
            "always_off",
        ],
    ),
    ("The text", "rustok-benches", &["prometheus-render"]),
    ("Spans", "rustok-benches", &["span-layer"]),
    ("Requests", "rustok-benches", &["http-layer"]),
    ("A service", "rustok-benches", &["http-service"]),
    ("The console", "rustok-benches", &["console"]),
    ("Memory", "rustok-benches", &["memory"]),
    (
        "Distinct values",
        "rustok-benches",
        &["cardinality", "--outlets", "text"],
    ),
    ("Start", "start_memory", &[]),
];

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let page = workspace::root().join("docs/benchmarks.md");
    if options.summary {
        fs::write(&page, bench_summary::refresh(&fs::read_to_string(&page)?)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    // A benchmark runs it as a separate process.
    build("rustok-server", "rustok-server")?;
    let mut document = match options.part.is_empty() {
        true => format!("{INTRODUCTION}\n{}\n", machine()),
        false => fs::read_to_string(&page)?,
    };
    for (heading, program, arguments) in PARTS {
        if !options.part.is_empty() && options.part.iter().all(|part| part != heading) {
            continue;
        }
        let quick = options.quick && !arguments.is_empty();
        let mut command = workspace::cargo();
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
            .stderr(Stdio::inherit());
        let output = command.output()?;
        if !output.status.success() {
            return Err(format!("{command:?} failed: {}", output.status).into());
        }
        let tables = String::from_utf8(output.stdout)?;
        put(&mut document, heading, &tables);
    }
    if options.part.is_empty() {
        let tables = instructions::table(options.quick)?;
        put(&mut document, "Instructions", &tables);
    }
    if !options.quick {
        fs::write(page, bench_summary::refresh(&document)?)?;
        println!("written: docs/benchmarks.md");
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a section, and replaces the one with this heading, or appends it.
fn put(document: &mut String, heading: &str, tables: &str) {
    let section = format!("\n## {heading}\n{tables}");
    println!("{section}");
    let start = document.find(&format!("\n## {heading}\n"));
    let start = start.unwrap_or(document.len());
    let rest = document.get(start + 1..).unwrap_or_default();
    let next = rest.find("\n## ").map(|length| start + 1 + length);
    document.replace_range(start..next.unwrap_or(document.len()), &section);
}

/// Builds a program of the workspace with optimizations, into `target/release`.
pub(super) fn build(package: &str, program: &str) -> Result<(), Error> {
    let mut command = workspace::cargo();
    command.args(["build", "--release", "--quiet", "-p", package]);
    let status = command.args(["--bin", program]).status()?;
    if !status.success() {
        return Err(format!("{command:?} failed: {status}").into());
    }
    Ok(())
}

const INTRODUCTION: &str = "# Benchmarks

Compare what a record, a scrape, a span, a request and a series cost in this crate and in its peers.
`cargo xtask bench` writes this page.

## Method

- **Runs.** All rows of a table come from one run. The run alternates between the contenders; a figure is the median of
  its rounds. With two threads, a figure is the time of one record on its thread.
- **Order.** Records visit label sets in an order without a pattern, so 10,000 series also cost cache misses.
- **Checks.** Each table is printed only after every contender held every record. For rustok-telemetry, every record
  was also exported over OTLP.
- **Allocations** are those of one record of a known label set, or of one span.
- **Spans.** Each contender runs in its own process. Its exporter and the Collector idle while time is measured. The
  time of the process includes what the exporter and the Collector do after a burst.
";

/// Returns the processor, the operating system and the compiler, without host or user names.
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
