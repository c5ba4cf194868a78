//! `cargo xtask faults`: measures what faults between a service and the Collector do.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use xtask::faults::table::{self, Section};
use xtask::faults::{Fault, Programs, Protocol, chaos, kills, matrix, overload, soak};
use xtask::stack::programs::{self, Program};
use xtask::workspace;

use super::{Error, bench};

/// Rounds of the overload, with each service.
const ROUNDS: usize = 15;

/// Measure what faults between a service and the Collector do: the fault matrix, unless another part is chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run these faults of the matrix alone.
    #[arg(long, value_parser = parse_fault, value_delimiter = ',')]
    fault: Vec<Fault>,
    /// Use one protocol alone: grpc or http.
    #[arg(long, value_parser = parse_protocol)]
    protocol: Option<Protocol>,
    /// Let each fault of the matrix last this long [default: 20 or 30 s].
    #[arg(long)]
    seconds: Option<u64>,
    /// Kill and suspend the Collector at random for three minutes, and again with kills of a service that has a spool.
    #[arg(long)]
    chaos: bool,
    /// Run rustok-server at full load on one core, with a fault every 20 s, for so many minutes.
    #[arg(long, value_name = "MINUTES")]
    soak: Option<u64>,
    /// Record ten times the traffic that the exporter can send.
    #[arg(long)]
    overload: bool,
    /// Run every part, with a soak of 30 minutes by each protocol.
    #[arg(long, conflicts_with_all = ["fault", "seconds", "chaos", "soak", "overload"])]
    all: bool,
    /// Write the tables of these parts, or their rows of the chosen faults and protocol, to docs/reliability.md.
    #[arg(long)]
    write: bool,
    /// Choose the random faults.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

fn parse_fault(name: &str) -> Result<Fault, String> {
    let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
    fault.ok_or_else(|| {
        let names = Fault::ALL.map(Fault::name).join(", ");
        format!("use one of {names}")
    })
}

fn parse_protocol(name: &str) -> Result<Protocol, String> {
    match name {
        "grpc" => Ok(Protocol::Grpc),
        "http" => Ok(Protocol::Http),
        _ => Err("use grpc or http".to_owned()),
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    xtask::children::end_with_signals()?;
    bench::build("rustok-benches", "fault_service")?;
    if options.all || options.soak.is_some() {
        bench::build("rustok-server", "rustok-server")?;
    }
    let built = workspace::root().join("target/release");
    let programs = Programs {
        collector: programs::path(Program::Otelcol)?,
        service: built.join("fault_service"),
        server: built.join("rustok-server"),
        folder: workspace::root().join("target/faults"),
    };
    run_parts(options, &programs).map_err(|error| error.to_string().into())
}

fn run_parts(options: &Options, programs: &Programs) -> Result<ExitCode, xtask::faults::Error> {
    let protocols = match options.protocol {
        Some(protocol) => vec![protocol],
        None => Protocol::ALL.to_vec(),
    };
    let mut problems = Vec::new();
    let is_part = !options.fault.is_empty() || options.protocol.is_some();
    let mut finish = |section: Section, text: &str, found: Vec<String>| {
        println!("\n{text}");
        let name = section.name();
        problems.extend(found.iter().map(|problem| format!("{name}: {problem}")));
        match options.write {
            true => table::write(section, text, is_part),
            false => Ok(()),
        }
    };
    let (mut rows, mut found) = (Vec::new(), Vec::new());
    if options.all || !(options.chaos || options.overload || options.soak.is_some()) {
        for fault in Fault::ALL {
            if !options.fault.is_empty() && !options.fault.contains(&fault) {
                continue;
            }
            for &protocol in &protocols {
                let lasts = options.seconds.map_or(fault.lasts(), Duration::from_secs);
                let row = matrix::run(programs, fault, protocol, lasts)?;
                print!("{}", table::matrix_row(&row));
                let of_row = row.problems().into_iter();
                found.extend(of_row.map(|problem| format!("{fault:?}, {protocol}: {problem}")));
                rows.push(row);
            }
        }
        finish(Section::Matrix, &table::matrix(&rows), found)?;
    }
    if options.all || options.chaos {
        let time = Duration::from_secs(180);
        let run = |&protocol| chaos::run(programs, protocol, time, options.seed);
        let runs = protocols.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        let found = runs.iter().flat_map(chaos::Chaos::problems).collect();
        finish(Section::Chaos, &table::chaos(&runs), found)?;
        let run = |&protocol| kills::run(programs, protocol, time, options.seed);
        let runs = protocols.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        let found = runs.iter().flat_map(kills::Kills::problems).collect();
        finish(Section::Kills, &table::kills(&runs), found)?;
    }
    if options.all || options.overload {
        let run = |&protocol| overload::run(programs, protocol, ROUNDS);
        let runs = protocols.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        let found = runs.iter().flat_map(overload::Overload::problems).collect();
        finish(Section::Overload, &table::overload(&runs), found)?;
    }
    if let Some(minutes) = options.soak.or(options.all.then_some(30)) {
        let time = Duration::from_secs(60 * minutes);
        let run = |&protocol| soak::run(programs, protocol, time, options.seed);
        let runs = protocols.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        let found = runs.iter().flat_map(soak::Soak::problems).collect();
        finish(Section::Soak, &table::soak(&runs), found)?;
    }
    for problem in &problems {
        eprintln!("failed: {problem}");
    }
    Ok(ExitCode::from(u8::from(!problems.is_empty())))
}
