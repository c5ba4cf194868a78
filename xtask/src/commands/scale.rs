//! `cargo xtask scale`: two tiers of Collectors, and what is lost when a part is killed.

mod jaeger;
mod kafka;
mod large;
mod stores;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use xtask::scale::tiers::{Programs, Tiers};
use xtask::scale::{kills, late, shares};
use xtask::stack::programs::{self, Program};
use xtask::{children, workspace};

use super::Error;

pub(super) use large::{programs as large_programs, up};

/// Run two agents, two gateways and Jaeger: count what sampling keeps, kill parts, and count what is lost.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Choose the ids of traces.
    #[arg(long, default_value_t = 7, global = true)]
    seed: u64,
    #[command(subcommand)]
    variant: Option<Variant>,
}

/// Another set-up; without one, the two tiers as they are committed.
#[derive(Debug, Subcommand)]
enum Variant {
    Jaeger(jaeger::Options),
    Kafka(kafka::Options),
    Large(large::Options),
    Stores(stores::Options),
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    children::end_with_signals()?;
    let programs = programs()?;
    let random = &mut fastrand::Rng::with_seed(options.seed);
    let problems = match &options.variant {
        None => run_tiers(
            &Programs {
                folder: programs.folder.join("tiers"),
                ..programs
            },
            random,
        ),
        Some(Variant::Jaeger(options)) => jaeger::run(options, &programs, random),
        Some(Variant::Kafka(options)) => kafka::run(options, &programs, random),
        Some(Variant::Large(options)) => large::run(options, random),
        Some(Variant::Stores(options)) => return stores::run(options),
    };
    let problems = problems.map_err(|error| error.to_string())?;
    for problem in &problems {
        eprintln!("failed: {problem}");
    }
    Ok(ExitCode::from(u8::from(!problems.is_empty())))
}

fn programs() -> Result<Programs, Error> {
    Ok(Programs {
        collector: programs::path(Program::Otelcol)?,
        jaeger: programs::path(Program::Jaeger)?,
        folder: workspace::root().join("target/scale"),
    })
}

/// Builds `rustok-server`, and returns its path.
fn server() -> Result<PathBuf, Error> {
    let name = "rustok-server";
    let mut build = workspace::cargo();
    let status = build.args(["build", "--quiet", "-p", name]).status()?;
    match status.success() {
        true => Ok(workspace::root().join("target/debug").join(name)),
        false => Err(format!("{build:?} failed: {status}").into()),
    }
}

fn run_tiers(
    programs: &Programs,
    random: &mut fastrand::Rng,
) -> Result<Vec<String>, xtask::scale::Error> {
    let mut tiers = Tiers::start(programs, &shares::VARIABLES)?;
    let shares = shares::run(&tiers, random)?;
    println!("{shares}");
    let mut problems = shares.problems();
    for late in late::run(&tiers, random)? {
        println!("{late}");
        problems.extend(late.problem());
    }
    let gateway = kills::gateway_and_agent(&mut tiers, random)?;
    println!("gateway killed, agent killed with its queue: {gateway:?}");
    problems.extend(gateway.problems());
    let store = kills::store_and_gateway(&mut tiers, random)?;
    println!("Jaeger killed, gateway killed with its queue: {store:?}");
    problems.extend(store.problems());
    let undecided = kills::gateway_under_load(&mut tiers, random)?;
    println!("gateway killed under load: {undecided:?}");
    problems.extend(undecided.problems());
    Ok(problems)
}
