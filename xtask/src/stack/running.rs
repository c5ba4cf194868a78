//! A running stack: asked how it is, stopped.

use std::io;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use super::ports::Ports;
use super::process::{ProcessId, Stopped};
use super::programs;
use super::query;
use super::run_dir::RunDir;
use super::service::Service;
use super::start::{self, StartError};
use super::state::{State, StateError};
use super::up::{Builder, UpError};
use crate::progress::Reporter;

/// A stack that is up.
///
/// One that was started without [`Builder::detached`] is stopped when it is dropped.
#[derive(Debug)]
pub struct Stack {
    dir: RunDir,
    state: State,
    /// Those that this process started, so that they can be reaped.
    children: Vec<(Service, Child)>,
    /// How often Prometheus scrapes, if not as its configuration says.
    scrape_interval: Option<Duration>,
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
        Ok(State::read(&dir)?.map(|state| Self::new(dir, state, None, false)))
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
        let _lock = self.dir.lock()?;
        self.stop_on_drop = false;
        let stopped = self.stop();
        State::remove(&self.dir)?;
        Ok(stopped)
    }

    /// Lets Prometheus scrape a service that was started beside the stack: `job` is its `service.name`. It takes the place
    /// of an earlier one.
    ///
    /// # Errors
    ///
    /// When the target file cannot be written.
    pub fn scrape_service(&self, job: &str, address: &str) -> io::Result<()> {
        self.dir.scrape_service(job, address, self.scrape_interval)
    }

    /// Ends what [`scrape_service`](Self::scrape_service) began, so that nothing is said of a service that is to stop.
    ///
    /// # Errors
    ///
    /// When the target file cannot be removed.
    pub fn forget_service(&self) -> io::Result<()> {
        self.dir.forget_service()
    }

    pub(super) fn new(
        dir: RunDir,
        state: State,
        scrape_interval: Option<Duration>,
        stop_on_drop: bool,
    ) -> Self {
        Self {
            dir,
            state,
            children: Vec::new(),
            scrape_interval,
            stop_on_drop,
        }
    }

    /// Stops one program, and says how it ended.
    pub fn stop_one(&self, service: Service) -> Stopped {
        let process = self.state.processes.get(&service);
        process.map_or(Stopped::Already, ProcessId::stop)
    }

    /// Ends one program without asking it, as a crash would, and says how it ended.
    pub fn kill_one(&self, service: Service) -> Stopped {
        let process = self.state.processes.get(&service);
        process.map_or(Stopped::Already, ProcessId::kill)
    }

    /// Starts one program again that has been stopped, with the data that it had, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When the program is missing, or does not become ready.
    pub fn start_one(&mut self, service: Service, reporter: &mut Reporter) -> Result<(), UpError> {
        let located = programs::locate(service.program(), reporter)?;
        self.children.retain(|(other, _)| *other != service);
        self.spawn(service, &located.path, !self.stop_on_drop)?;
        // Others may be stopped on purpose.
        let started = self.children.last_mut().map(std::slice::from_mut);
        let started = started.unwrap_or_default();
        let ports = &self.state.ports;
        Ok(start::wait_until_ready(
            started, ports, &self.dir, reporter,
        )?)
    }

    pub(super) fn spawn(
        &mut self,
        service: Service,
        program: &Path,
        detached: bool,
    ) -> Result<(), UpError> {
        let State { ports, traces, .. } = &self.state;
        let child = start::spawn(service, program, ports, &self.dir, *traces, detached)?;
        Ok(self.add(service, child)?)
    }

    /// Notes a program that was just started, so that it can be stopped, by whomever.
    fn add(&mut self, service: Service, child: Child) -> Result<(), StateError> {
        if let Some(process) = ProcessId::of(child.id()) {
            self.state.processes.insert(service, process);
        }
        self.children.push((service, child));
        self.state.write(&self.dir)
    }

    /// Waits until every program that this process has started is ready.
    pub(super) fn wait_until_ready(&mut self, reporter: &mut Reporter) -> Result<(), StartError> {
        start::wait_until_ready(&mut self.children, &self.state.ports, &self.dir, reporter)
    }

    /// Leaves the programs running when this is dropped.
    pub(super) fn detach(&mut self) {
        self.stop_on_drop = false;
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
