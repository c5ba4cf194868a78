//! `cargo xtask stack`: the observability stack without containers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Subcommand};
use xtask::progress::Reporter;
use xtask::stack::process::Stopped;
use xtask::stack::programs::{self, Program};
use xtask::stack::{Port, Service, Setup, Stack, TraceStorage, UpError};
use xtask::workspace;

use super::Error;

/// Run Collector, Prometheus and Jaeger without containers.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build what is missing, start the programs, and leave them running.
    Up {
        #[command(flatten)]
        options: Up,
        /// Start VictoriaMetrics too, whose web page vmui queries and charts metrics.
        #[arg(long)]
        explore: bool,
        /// Start the stack past one machine instead, and two services: two agents, Kafka, two gateways, Jaeger on three
        /// nodes of Cassandra, and Thanos. It runs until Ctrl-C, and needs Java and Maven.
        #[arg(long, conflicts_with_all = ["explore", "dir", "free_ports"])]
        scale: bool,
    },
    /// Print the state of each program; exit with 0 if all are ready.
    Status(Folder),
    /// Stop what `up` started.
    Down(Folder),
    /// Build what is missing without starting it, and print the paths.
    Build,
}

#[derive(Debug, Args)]
// Its group would have the name of the group of the command `up`.
#[group(skip)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Use free ports instead of the default ports.
    #[arg(long)]
    pub(crate) free_ports: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// Folder for state, logs and data [default: .stack in the workspace].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Folder {
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(workspace::default_run_dir)
    }
}

pub(crate) fn run(command: Command, cancelled: Arc<AtomicBool>) -> Result<ExitCode, Error> {
    match command {
        Command::Up { scale: true, .. } => super::scale::up(),
        Command::Up {
            options, explore, ..
        } => up(&options, explore, cancelled),
        Command::Status(folder) => status(&folder),
        Command::Down(folder) => down(&folder),
        Command::Build => build(cancelled),
    }
}

/// Starts the stack, or returns the one that is up, whatever its setup.
pub(crate) fn ensure_up(
    options: &Up,
    setup: Setup,
    cancelled: Arc<AtomicBool>,
) -> Result<(Stack, WasUp), UpError> {
    let dir = options.folder.path();
    if let Some(stack) = Stack::find(&dir)?.filter(Stack::is_ready) {
        return Ok((stack, WasUp(true)));
    }
    let reporter = Reporter::stderr().cancelled_by(cancelled);
    let mut builder = Stack::builder()
        .run_dir(dir)
        .setup(setup)
        .detached()
        .reporter(reporter);
    if options.free_ports {
        builder = builder.free_ports();
    }
    Ok((builder.up()?, WasUp(false)))
}

/// Whether the stack was up before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WasUp(pub(crate) bool);

/// Prints the pages of the stack, and the addresses for services.
pub(crate) fn print_addresses(stack: &Stack) {
    let ports = stack.ports();
    println!("  Prometheus      {}", Service::Prometheus.page(ports));
    println!("  Jaeger          {}", Service::Jaeger.page(ports));
    println!("  Collector       {}", Service::Collector.page(ports));
    if stack.setup().explore {
        println!("  VictoriaMetrics {}", Service::VictoriaMetrics.page(ports));
    }
    let logs = stack.dir().path().join("logs");
    println!("  logs            {}", logs.display());
    println!("Set one of these in a service's environment to export to it:");
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    println!("  {endpoint}={}", ports.url(Port::CollectorOtlpHttp));
    let grpc = ports.url(Port::CollectorOtlpGrpc);
    println!("  {endpoint}={grpc} OTEL_EXPORTER_OTLP_PROTOCOL=grpc");
}

fn up(options: &Up, explore: bool, cancelled: Arc<AtomicBool>) -> Result<ExitCode, Error> {
    let setup = Setup {
        traces: TraceStorage::Badger,
        explore,
    };
    let (stack, WasUp(was_up)) = ensure_up(options, setup, cancelled)?;
    if explore && !stack.setup().explore {
        let dir = stack.dir().path().display();
        return Err(format!(
            "the stack in {dir} is up without VictoriaMetrics: \
             stop it with `cargo xtask stack down`, then start it with --explore"
        )
        .into());
    }
    println!("The stack is up{}:", if was_up { " already" } else { "" });
    print_addresses(&stack);
    println!("Stop it with: cargo xtask stack down");
    Ok(ExitCode::SUCCESS)
}

fn status(folder: &Folder) -> Result<ExitCode, Error> {
    let Some(stack) = Stack::find(folder.path())? else {
        for service in Setup::default().services() {
            println!("{service:<18}not started");
        }
        return Ok(ExitCode::FAILURE);
    };
    let mut all_ready = true;
    for status in stack.status() {
        let state = match (status.pid, status.ready) {
            (None, _) => "ended",
            (Some(_), false) => "not ready",
            (Some(_), true) => "ready",
        };
        let pid = status.pid.map_or("-".to_owned(), |pid| pid.to_string());
        let page = match status.ready {
            true => status.service.page(stack.ports()),
            false => String::new(),
        };
        println!("{:<18}{state:<11}pid {pid:<9}{page}", status.service);
        all_ready &= status.ready;
    }
    Ok(ExitCode::from(u8::from(!all_ready)))
}

fn down(folder: &Folder) -> Result<ExitCode, Error> {
    let Some(stack) = Stack::find(folder.path())? else {
        println!("The stack is not up: nothing to stop.");
        return Ok(ExitCode::SUCCESS);
    };
    let mut code = ExitCode::SUCCESS;
    for (service, stopped) in stack.down()? {
        let how = match stopped {
            Stopped::Already => "was not running",
            Stopped::Gracefully => "stopped",
            Stopped::Killed => "did not stop on SIGTERM and was killed",
            Stopped::StillRunning => {
                code = ExitCode::FAILURE;
                "still runs after SIGKILL"
            }
        };
        println!("{service:<18}{how}");
    }
    Ok(code)
}

fn build(cancelled: Arc<AtomicBool>) -> Result<ExitCode, Error> {
    let mut reporter = Reporter::stderr().cancelled_by(cancelled);
    for program in Program::ALL {
        println!("{}", programs::locate(program, &mut reporter)?);
    }
    Ok(ExitCode::SUCCESS)
}
