//! Starts a stack.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::port::Port;
use super::ports::{InvalidPorts, Ports, PortsInUse};
use super::process::Stopped;
use super::programs::{self, ProgramError};
use super::run_dir::RunDir;
use super::running::Stack;
use super::service::Setup;
use super::start::StartError;
use super::state::{State, StateError};
use crate::progress::Reporter;
use crate::workspace;

/// Number of starts with other free ports, if another program takes one of them.
const FREE_PORT_ATTEMPTS: u32 = 5;

/// Settings of a stack to start.
#[derive(Debug)]
pub struct Builder {
    dir: PathBuf,
    ports: PortChoice,
    scrape_interval: Option<Duration>,
    shorten_rules: Option<u32>,
    setup: Setup,
    detached: bool,
    reporter: Reporter,
}

#[derive(Debug, Clone)]
enum PortChoice {
    Environment,
    Free,
    Given(Ports),
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            dir: workspace::default_run_dir(),
            ports: PortChoice::Environment,
            scrape_interval: None,
            shorten_rules: None,
            setup: Setup::default(),
            detached: false,
            reporter: Reporter::stderr(),
        }
    }

    /// Sets the folder for state, logs and data. Default: `.stack` in the workspace.
    #[must_use]
    pub fn run_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// Uses ports without a listener. Default: the ports of the environment, see [`Ports::from_env`].
    #[must_use]
    pub fn free_ports(mut self) -> Self {
        self.ports = PortChoice::Free;
        self
    }

    /// Uses these ports.
    #[must_use]
    pub fn ports(mut self, ports: Ports) -> Self {
        self.ports = PortChoice::Given(ports);
        self
    }

    /// Sets Prometheus' scrape interval. Default: that of its configuration, 15 s.
    #[must_use]
    pub fn scrape_interval(mut self, interval: Duration) -> Self {
        self.scrape_interval = Some(interval);
        self
    }

    /// Divides every duration in Prometheus' rules by this, and evaluates them every second, see
    /// [`shortened`](super::shortened). Default: unchanged rules.
    #[must_use]
    pub fn shorten_rules(mut self, divisor: u32) -> Self {
        self.shorten_rules = Some(divisor);
        self
    }

    /// Sets Jaeger's storage for traces, and whether VictoriaMetrics runs. Default: on disk, without VictoriaMetrics.
    #[must_use]
    pub fn setup(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    /// Keeps the programs running when the [`Stack`] is dropped, and on Ctrl-C.
    ///
    /// A detached stack keeps the data of an earlier stack in the same folder. Others delete it, so that a test never
    /// reads the data of an earlier run.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.detached = true;
        self
    }

    /// Sets the receiver of progress messages. Default: standard error.
    #[must_use]
    pub fn reporter(mut self, reporter: Reporter) -> Self {
        self.reporter = reporter;
        self
    }

    /// Starts the programs and waits until all are ready. If one fails to start, stops all.
    pub fn up(mut self) -> Result<Stack, UpError> {
        let dir = RunDir::create(&self.dir).map_err(|source| UpError::RunDir {
            path: self.dir.clone(),
            source,
        })?;
        let _lock = dir.lock()?;
        clear_leftovers(&dir, &mut self.reporter)?;
        if !self.detached {
            dir.clear_data().map_err(|source| UpError::RunDir {
                path: dir.path().to_owned(),
                source,
            })?;
        }
        let mut attempt = 1;
        loop {
            match self.start_once(&dir) {
                Err(error)
                    if error.is_about_a_port()
                        && matches!(self.ports, PortChoice::Free)
                        && attempt < FREE_PORT_ATTEMPTS =>
                {
                    attempt += 1;
                    self.reporter
                        .note("another program took a port: starting again with other ports");
                }
                result => return result,
            }
        }
    }

    fn start_once(&mut self, dir: &RunDir) -> Result<Stack, UpError> {
        let ports = match &self.ports {
            PortChoice::Environment => Ports::from_env()?,
            PortChoice::Free => Ports::free().map_err(UpError::NoFreePorts)?,
            PortChoice::Given(ports) => ports.clone(),
        };
        let listening: Vec<Port> = self
            .setup
            .services()
            .flat_map(|service| service.ports().iter().copied())
            .collect();
        ports.check_free(&listening)?;
        // The stack of a test has no targets besides the test's own services.
        let users_services = self.detached;
        dir.write_prometheus(
            &ports,
            self.scrape_interval,
            self.shorten_rules,
            users_services,
        )
        .map_err(|source| UpError::RunDir {
            path: dir.path().to_owned(),
            source,
        })?;
        // Until it is ready, dropping it stops the programs.
        let state = State::new(ports, self.setup);
        let mut stack = Stack::new(dir.clone(), state, self.scrape_interval, true);
        self.start_programs(&mut stack)?;
        if self.detached {
            stack.detach();
        }
        Ok(stack)
    }

    fn start_programs(&mut self, stack: &mut Stack) -> Result<(), UpError> {
        let located = self
            .setup
            .services()
            .map(|service| programs::locate(service.program(), &mut self.reporter))
            .collect::<Result<Vec<_>, _>>()?;
        for (service, located) in self.setup.services().zip(located) {
            self.reporter.note(&located.to_string());
            stack.spawn(service, &located.path, self.detached)?;
        }
        Ok(stack.wait_until_ready(&mut self.reporter)?)
    }
}

impl UpError {
    /// Returns whether another program uses one of the ports.
    fn is_about_a_port(&self) -> bool {
        match self {
            Self::PortsInUse(_) => true,
            Self::Start(error) => error.lost_a_port(),
            _ => false,
        }
    }
}

/// Stops the remaining programs of a stack in which a program has ended.
fn clear_leftovers(dir: &RunDir, reporter: &mut Reporter) -> Result<(), UpError> {
    let Some(state) = State::read(dir)? else {
        return Ok(());
    };
    if state
        .setup
        .services()
        .all(|service| state.is_running(service))
    {
        return Err(UpError::AlreadyUp(dir.path().to_owned()));
    }
    for (service, stopped) in state.stop() {
        if stopped != Stopped::Already {
            reporter.note(&format!(
                "{service}: stopped, because another program of the stack has ended"
            ));
        }
    }
    Ok(State::remove(dir)?)
}

/// An error in starting the stack.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// The ports of the environment are invalid.
    #[error(transparent)]
    InvalidPorts(#[from] InvalidPorts),
    /// Other programs use some of the ports.
    #[error(transparent)]
    PortsInUse(#[from] PortsInUse),
    /// There are no free ports.
    #[error("no free ports: {0}")]
    NoFreePorts(io::Error),
    /// A stack already runs in the same folder.
    #[error("the stack in {} is already up: see `cargo xtask stack status`", .0.display())]
    AlreadyUp(PathBuf),
    /// A program is missing.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A program did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The state file cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The run folder cannot be created.
    #[error("{}: {source}", path.display())]
    RunDir {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}
