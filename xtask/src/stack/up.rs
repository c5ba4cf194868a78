//! A running stack: started, found again, asked how it is, stopped.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use super::ports::{InvalidPorts, Port, Ports, PortsInUse};
use super::process::Stopped;
use super::programs::{self, ProgramError};
use super::query;
use super::run_dir::RunDir;
use super::service::Service;
use super::start::{self, StartError};
use super::state::{State, StateError};
use crate::progress::Reporter;
use crate::workspace;

/// How often to start on other free ports when another program was quicker.
const FREE_PORT_ATTEMPTS: u32 = 5;

/// A stack that is up.
///
/// One that was started without [`Builder::detached`] is stopped when it is dropped.
#[derive(Debug)]
pub struct Stack {
    dir: RunDir,
    state: State,
    /// Those that this process started, so that they can be reaped.
    children: Vec<(Service, Child)>,
    stop_on_drop: bool,
}

/// How one program of a stack is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceStatus {
    /// Which.
    pub service: Service,
    /// Its process, if that still runs.
    pub pid: Option<u32>,
    /// Whether it answers that it is ready.
    pub ready: bool,
    /// Its address for people.
    pub url: String,
}

impl Stack {
    /// Says how the stack is to be started.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The stack that was left running in this folder; none if there is none.
    /// Dropping it stops nothing.
    pub fn find(dir: impl AsRef<Path>) -> Result<Option<Self>, StateError> {
        let path = dir.as_ref();
        if !path.is_dir() {
            return Ok(None);
        }
        let dir = RunDir::create(path).map_err(|source| StateError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(State::read(&dir)?.map(|state| Self::new(dir, state, false)))
    }

    /// The ports of this stack.
    pub fn ports(&self) -> &Ports {
        &self.state.ports
    }

    /// The folder with its logs and data.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// How each program is now.
    pub fn status(&self) -> Vec<ServiceStatus> {
        let ports = &self.state.ports;
        let status = |service: Service| {
            let process = self.state.processes.get(&service);
            let running = process.filter(|process| process.is_running());
            ServiceStatus {
                service,
                pid: running.map(|process| process.pid()),
                ready: running.is_some() && query::is_ready(&service.ready_url(ports)),
                url: service.url(ports),
            }
        };
        Service::ALL.into_iter().map(status).collect()
    }

    /// Whether every program runs and is ready.
    pub fn is_ready(&self) -> bool {
        self.status().iter().all(|status| status.ready)
    }

    /// Stops every program, and says how each ended.
    pub fn down(mut self) -> Result<Vec<(Service, Stopped)>, StateError> {
        let _lock = lock(&self.dir)?;
        self.stop_on_drop = false;
        let stopped = self.stop();
        State::remove(&self.dir)?;
        Ok(stopped)
    }

    fn new(dir: RunDir, state: State, stop_on_drop: bool) -> Self {
        Self {
            dir,
            state,
            children: Vec::new(),
            stop_on_drop,
        }
    }

    fn start(&mut self, builder: &mut Builder) -> Result<(), UpError> {
        let located = Service::ALL
            .iter()
            .map(|service| programs::locate(service.program(), &mut builder.reporter))
            .collect::<Result<Vec<_>, _>>()?;
        for (service, located) in Service::ALL.into_iter().zip(located) {
            builder.reporter.note(&located.to_string());
            let (ports, detached) = (&self.state.ports, builder.detached);
            let child = start::spawn(service, &located.path, ports, &self.dir, detached)?;
            if let Some(process) = super::process::ProcessId::of(child.id()) {
                self.state.processes.insert(service, process);
            }
            self.children.push((service, child));
            self.state.write(&self.dir)?;
        }
        let (ports, children) = (&self.state.ports, &mut self.children);
        start::wait_until_ready(children, ports, &self.dir, &mut builder.reporter)?;
        Ok(())
    }

    fn stop(&mut self) -> Vec<(Service, Stopped)> {
        let stopped = self.state.stop();
        for (_, child) in &mut self.children {
            // It has ended; this only takes its exit status off the system's list.
            let _ = child.try_wait();
        }
        stopped
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if self.stop_on_drop {
            self.stop();
            // Nothing runs any more, so a state that stays is harmless: `down` finds nothing to do.
            let _ = State::remove(&self.dir);
        }
    }
}

/// How a stack is to be started.
#[derive(Debug)]
pub struct Builder {
    dir: PathBuf,
    ports: PortChoice,
    scrape_interval: Option<Duration>,
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
    fn new() -> Self {
        Self {
            dir: workspace::default_run_dir(),
            ports: PortChoice::Environment,
            scrape_interval: None,
            detached: false,
            reporter: Reporter::stderr(),
        }
    }

    /// The folder for state, logs and data. Default: `.stack` in the workspace.
    #[must_use]
    pub fn run_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// Ports that nothing listens on. Default: those of the environment, see [`Ports::from_env`].
    #[must_use]
    pub fn free_ports(mut self) -> Self {
        self.ports = PortChoice::Free;
        self
    }

    /// Exactly these ports.
    #[must_use]
    pub fn ports(mut self, ports: Ports) -> Self {
        self.ports = PortChoice::Given(ports);
        self
    }

    /// How often Prometheus scrapes. Default: as its configuration says, every 15 s.
    #[must_use]
    pub fn scrape_interval(mut self, interval: Duration) -> Self {
        self.scrape_interval = Some(interval);
        self
    }

    /// Leaves the programs running when the [`Stack`] is dropped, and keeps Ctrl-C from them.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.detached = true;
        self
    }

    /// Who is told of the progress. Default: standard error.
    #[must_use]
    pub fn reporter(mut self, reporter: Reporter) -> Self {
        self.reporter = reporter;
        self
    }

    /// Starts the programs and waits until all are ready. If one is not, all are stopped again.
    pub fn up(mut self) -> Result<Stack, UpError> {
        let dir = RunDir::create(&self.dir).map_err(|source| UpError::RunDir {
            path: self.dir.clone(),
            source,
        })?;
        let _lock = lock(&dir)?;
        clear_leftovers(&dir, &mut self.reporter)?;
        let mut attempt = 1;
        loop {
            match self.start_once(&dir) {
                Err(UpError::Start(error))
                    if error.lost_a_port()
                        && matches!(self.ports, PortChoice::Free)
                        && attempt < FREE_PORT_ATTEMPTS =>
                {
                    attempt += 1;
                    self.reporter
                        .note("a port was taken meanwhile: once more, on others");
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
        let listening: Vec<Port> = Service::ALL
            .iter()
            .flat_map(|service| service.ports().iter().copied())
            .collect();
        ports.check_free(&listening)?;
        dir.write_prometheus(&ports, self.scrape_interval)
            .map_err(|source| UpError::RunDir {
                path: dir.path().to_owned(),
                source,
            })?;
        // Until it is ready, dropping it stops what has been started.
        let mut stack = Stack::new(dir.clone(), State::new(ports), true);
        stack.start(self)?;
        stack.stop_on_drop = !self.detached;
        Ok(stack)
    }
}

/// Stops what is left of a stack of which a part has ended.
fn clear_leftovers(dir: &RunDir, reporter: &mut Reporter) -> Result<(), UpError> {
    let Some(state) = State::read(dir)? else {
        return Ok(());
    };
    if Service::ALL
        .iter()
        .all(|&service| state.is_running(service))
    {
        return Err(UpError::AlreadyUp(dir.path().to_owned()));
    }
    for (service, stopped) in state.stop() {
        if stopped != Stopped::Already {
            reporter.note(&format!(
                "{service}: stopped, since the stack was not whole"
            ));
        }
    }
    Ok(State::remove(dir)?)
}

fn lock(dir: &RunDir) -> Result<std::fs::File, StateError> {
    match dir.lock() {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(StateError::Locked(dir.path().to_owned())),
        Err(source) => Err(StateError::File {
            path: dir.path().to_owned(),
            source,
        }),
    }
}

/// Why the stack is not up.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// The environment's ports make no sense.
    #[error(transparent)]
    InvalidPorts(#[from] InvalidPorts),
    /// Something else listens on some of the ports.
    #[error(transparent)]
    PortsInUse(#[from] PortsInUse),
    /// The system gives no free ports.
    #[error("the system has no free ports: {0}")]
    NoFreePorts(io::Error),
    /// A stack runs in the same folder.
    #[error("the stack in {} is up already: see `cargo xtask stack status`", .0.display())]
    AlreadyUp(PathBuf),
    /// A program is missing.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A program did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The note of what runs cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The run folder cannot be made.
    #[error("{}: {source}", path.display())]
    RunDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
