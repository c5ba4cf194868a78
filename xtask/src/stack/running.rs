//! A running stack: status and stop.

use std::io;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use super::ports::Ports;
use super::process::{ProcessId, Stopped};
use super::programs;
use super::query;
use super::run_dir::RunDir;
use super::service::{Service, Setup};
use super::start::{self, StartError};
use super::state::{State, StateError};
use super::up::{Builder, UpError};
use crate::progress::Reporter;

/// A stack that is up.
///
/// Dropping it stops the programs, unless it was started with [`Builder::detached`].
#[derive(Debug)]
pub struct Stack {
    dir: RunDir,
    state: State,
    /// Child processes, to be reaped.
    children: Vec<(Service, Child)>,
    /// The scrape interval, if it differs from Prometheus' configuration.
    scrape_interval: Option<Duration>,
    stop_on_drop: bool,
}

/// The status of a program of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceStatus {
    /// The program.
    pub service: Service,
    /// The process id, if it runs.
    pub pid: Option<u32>,
    /// Whether its readiness check succeeds.
    pub ready: bool,
}

impl Stack {
    /// Returns a builder, which starts a stack.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Returns the stack that runs in this folder, if any. Dropping it does not stop the programs.
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

    /// Returns the ports of this stack.
    pub fn ports(&self) -> &Ports {
        &self.state.ports
    }

    /// Returns the choices with which it was started.
    pub fn setup(&self) -> Setup {
        self.state.setup
    }

    /// Returns the folder with its logs and data.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Returns the status of each program.
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
        self.state.setup.services().map(status).collect()
    }

    /// Returns whether every program runs and is ready.
    pub fn is_ready(&self) -> bool {
        self.status().iter().all(|status| status.ready)
    }

    /// Stops every program, and returns how each ended.
    pub fn down(mut self) -> Result<Vec<(Service, Stopped)>, StateError> {
        let _lock = self.dir.lock()?;
        self.stop_on_drop = false;
        let stopped = self.stop();
        State::remove(&self.dir)?;
        Ok(stopped)
    }

    /// Adds a service as a target of Prometheus, in place of an earlier one. `job` is its `service.name`.
    ///
    /// # Errors
    ///
    /// If the target file cannot be written.
    pub fn scrape_service(&self, job: &str, address: &str) -> io::Result<()> {
        self.dir.scrape_service(job, address, self.scrape_interval)
    }

    /// Removes the target that [`scrape_service`](Self::scrape_service) added, so that no alert fires for a service that
    /// is about to stop.
    ///
    /// # Errors
    ///
    /// If the target file cannot be removed.
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

    /// Stops one program, and returns how it ended.
    pub fn stop_one(&self, service: Service) -> Stopped {
        let process = self.state.processes.get(&service);
        process.map_or(Stopped::Already, ProcessId::stop)
    }

    /// Kills one program, as a crash would, and returns how it ended.
    pub fn kill_one(&self, service: Service) -> Stopped {
        let process = self.state.processes.get(&service);
        process.map_or(Stopped::Already, ProcessId::kill)
    }

    /// Restarts a stopped program with its data, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// If the program is missing, or does not become ready.
    pub fn start_one(&mut self, service: Service, reporter: &mut Reporter) -> Result<(), UpError> {
        let located = programs::locate(service.program(), reporter)?;
        self.children.retain(|(other, _)| *other != service);
        self.spawn(service, &located.path, !self.stop_on_drop)?;
        // Only this program: others may be stopped on purpose.
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
        let State { ports, setup, .. } = &self.state;
        let child = start::spawn(service, program, ports, &self.dir, *setup, detached)?;
        Ok(self.add(service, child)?)
    }

    /// Adds a started program to the state file, so that any process can stop it.
    fn add(&mut self, service: Service, child: Child) -> Result<(), StateError> {
        if let Some(process) = ProcessId::of(child.id()) {
            self.state.processes.insert(service, process);
        }
        self.children.push((service, child));
        self.state.write(&self.dir)
    }

    /// Waits until every child process is ready.
    pub(super) fn wait_until_ready(&mut self, reporter: &mut Reporter) -> Result<(), StartError> {
        start::wait_until_ready(&mut self.children, &self.state.ports, &self.dir, reporter)
    }

    /// Keeps the programs running when the stack is dropped.
    pub(super) fn detach(&mut self) {
        self.stop_on_drop = false;
    }

    fn stop(&mut self) -> Vec<(Service, Stopped)> {
        let stopped = self.state.stop();
        for (_, child) in &mut self.children {
            // Reaps the ended process.
            let _ = child.try_wait();
        }
        stopped
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if self.stop_on_drop {
            self.stop();
            // A remaining state file is harmless: its processes have ended.
            let _ = State::remove(&self.dir);
        }
    }
}
