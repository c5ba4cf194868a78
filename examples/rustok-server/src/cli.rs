//! What both programs do around their service: telemetry first, telemetry last.
//!
//! Telemetry starts before the async runtime and stops after it, so whatever the last task
//! recorded is still exported.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the programs talk to a terminal: where they listen, and why they stopped"
)]

use std::fmt::Display;
use std::process::ExitCode;

use clap::Parser;
use rustok_telemetry::console::Console;
use rustok_telemetry::{Builder, builder as telemetry};

use crate::config::{Cli, Command, Config, InventoryArgs};
use crate::errors::{Exit, Fatal};
use crate::{app, inventory};

const SERVER: &str = "rustok-server";
const INVENTORY: &str = "rustok-inventory";

/// The program `rustok-server`: the catalogue, or with the hidden subcommand the inventory.
#[must_use]
pub fn server() -> ExitCode {
    let cli = Cli::read();
    match cli.command {
        // Its own name, although it has the environment of the catalogue that started it.
        Some(Command::Inventory(args)) => run_inventory(args, telemetry().service_name(INVENTORY)),
        None => finish(SERVER, Config::resolve(cli.server).and_then(run_server)),
    }
}

/// The program `rustok-inventory`.
#[must_use]
pub fn inventory() -> ExitCode {
    run_inventory(
        InventoryArgs::parse(),
        telemetry().default_service_name(INVENTORY),
    )
}

/// Says on standard output where a program can be reached. Whoever started it with port 0
/// reads the port from this line.
pub fn announce(program: &str, url: impl Display) {
    println!("{program}: listening on {url}");
}

/// Says on standard output where a program shows what it does.
pub fn announce_console(program: &str, url: impl Display) {
    println!("{program}: console: {url}/api/_health/console");
}

/// Says on standard error what went wrong with something that doesn't stop the program.
pub fn warn(program: &str, message: &str) {
    eprintln!("{program}: {message}");
}

fn run_server(config: Config) -> Result<(), Fatal> {
    let builder = telemetry().default_service_name(SERVER);
    within_telemetry(
        SERVER,
        with_console(builder, config.console),
        app::run(config),
    )
}

fn with_console(builder: Builder, wanted: bool) -> Builder {
    match wanted {
        true => builder.console(Console::new()),
        false => builder,
    }
}

fn run_inventory(args: InventoryArgs, builder: Builder) -> ExitCode {
    let builder = with_console(builder, !args.no_console);
    finish(
        INVENTORY,
        within_telemetry(INVENTORY, builder, inventory::server::run(args)),
    )
}

/// Runs a service from the start of telemetry to its end.
///
/// A service that fails says why before telemetry stops, and that alone: what couldn't be sent
/// is no news then. Otherwise silence means that nothing was lost.
fn within_telemetry(
    program: &str,
    builder: Builder,
    service: impl Future<Output = Result<(), Fatal>>,
) -> Result<(), Fatal> {
    let telemetry = builder
        .service_version(env!("CARGO_PKG_VERSION"))
        .init()
        .map_err(|error| Fatal::new(Exit::Config, format!("{error:?}")))?;
    let outcome = runtime().and_then(|runtime| runtime.block_on(service));
    if let Err(fatal) = &outcome {
        say(program, fatal);
    }
    let report = telemetry.shutdown();
    if outcome.is_ok() && !report.is_complete() {
        eprintln!("{program}: {report}");
    }
    outcome.map_err(Fatal::said)
}

fn runtime() -> Result<tokio::runtime::Runtime, Fatal> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Fatal::new(Exit::Software, format!("the async runtime: {error}")))
}

fn finish(program: &str, outcome: Result<(), Fatal>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            say(program, &fatal);
            fatal.exit().into()
        }
    }
}

fn say(program: &str, fatal: &Fatal) {
    for line in fatal.to_string().lines() {
        eprintln!("{program}: {line}");
    }
}
