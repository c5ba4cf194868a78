//! `cargo xtask scale large`, and `cargo xtask stack up --scale`: the whole stack past one machine.

use std::convert::Infallible;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use xtask::children;
use xtask::progress::Reporter;
use xtask::scale::Error;
use xtask::scale::large::kills::{Part, kill};
use xtask::scale::large::{Large, Programs, counts, traffic};
use xtask::scale::tiers;
use xtask::stack::programs::{self, Program};

/// Run two agents, Kafka, two gateways, Jaeger on three nodes of Cassandra, and Thanos: compare what two services count
/// with what is stored, then kill one part after the other under load. Needs Java and Maven.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Kill nothing.
    #[arg(long)]
    counts_only: bool,
}

pub(super) fn run(options: &Options, random: &mut fastrand::Rng) -> Result<Vec<String>, Error> {
    let programs = programs("large")?;
    let reporter = &mut Reporter::stderr();
    let mut large = Large::start(&programs, 100, reporter)?;
    let counts = counts::run(&mut large, &programs, reporter)?;
    println!(
        "{} counters of two services compared, {} requests; {} spans created, {} in Cassandra",
        counts.compared(),
        counts.requests(),
        counts.spans,
        counts.spans_stored
    );
    let mut problems = counts.problems();
    let parts = match options.counts_only {
        true => &[][..],
        false => &Part::ALL,
    };
    for &part in parts {
        let killed = kill(&mut large, part, random, reporter)?;
        println!("{killed}");
        problems.extend(killed.problems());
    }
    Ok(problems)
}

/// Starts the stack with two services that send requests to themselves, and runs it until Ctrl-C.
pub(crate) fn up() -> Result<ExitCode, super::Error> {
    children::end_with_signals()?;
    match serve() {
        Err(error) => Err(error.to_string().into()),
        Ok(never) => match never {},
    }
}

fn serve() -> Result<Infallible, Error> {
    let programs = programs("up")?;
    let reporter = &mut Reporter::stderr();
    // A developer wants to see every trace, not a sample.
    let mut large = Large::start(&programs, 100, reporter)?;
    let interval = Duration::from_secs(5);
    let services = large.start_services(&programs, ("service", 2), interval, traffic)?;
    println!("The stack is up:");
    for (name, page) in large.pages() {
        println!("  {name:<16}{page}");
    }
    for service in services {
        println!("  {:<16}{service}/api/_health/console", "rustok-server");
    }
    println!("Ctrl-C stops it.");
    loop {
        if let Some(ended) = large.ended()? {
            return Err(format!("{ended}; the other programs are stopped").into());
        }
        sleep(Duration::from_secs(1));
    }
}

/// Builds the programs, and returns them with a folder of this name.
pub(crate) fn programs(folder: &str) -> Result<Programs, Error> {
    let tiers = super::programs().map_err(|error| error.to_string())?;
    Ok(Programs {
        tiers: tiers::Programs {
            folder: tiers.folder.join(folder),
            ..tiers
        },
        thanos: programs::path(Program::Thanos)?,
        server: super::server().map_err(|error| error.to_string())?,
    })
}
