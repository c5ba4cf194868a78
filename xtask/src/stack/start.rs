//! Starts the programs and waits until each is ready.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::ports::Ports;
use super::query;
use super::run_dir::RunDir;
use super::service::{Service, Setup};
use crate::progress::Reporter;

/// Time limit for the programs to become ready. They take about two seconds.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Starts one program, with its output in its log file.
pub(super) fn spawn(
    service: Service,
    program: &Path,
    ports: &Ports,
    dir: &RunDir,
    setup: Setup,
    detached: bool,
) -> Result<Child, StartError> {
    let mut command = Command::new(program);
    command
        .args(service.arguments(ports, dir, setup))
        .envs(service.environment(ports, dir))
        .current_dir(dir.path())
        .stdin(Stdio::null());
    if detached {
        // A separate process group: Ctrl-C in the terminal does not reach it.
        command.process_group(0);
    }
    let mut spawn = || -> io::Result<Child> {
        fs::create_dir_all(dir.data(service))?;
        let log = File::create(dir.log(service))?;
        command.stdout(log.try_clone()?).stderr(log);
        command.spawn()
    };
    let program = program.to_owned();
    spawn().map_err(|source| StartError::Spawn {
        service,
        program,
        source,
    })
}

/// Waits until all programs are ready. Fails if one of them ends.
pub(super) fn wait_until_ready(
    children: &mut [(Service, Child)],
    ports: &Ports,
    dir: &RunDir,
    reporter: &mut Reporter,
) -> Result<(), StartError> {
    let start = Instant::now();
    let mut waiting: Vec<Service> = children.iter().map(|(service, _)| *service).collect();
    while !waiting.is_empty() {
        for (service, child) in children.iter_mut() {
            if let Some(status) = child.try_wait().ok().flatten() {
                return Err(StartError::Ended {
                    service: *service,
                    status,
                    log: dir.log(*service),
                    tail: dir.log_tail(*service),
                });
            }
        }
        waiting.retain(|service| !query::is_ready(&service.ready_url(ports)));
        if reporter.is_cancelled() {
            return Err(StartError::Cancelled);
        }
        if let (Some(&service), true) = (waiting.first(), start.elapsed() > READY_WITHIN) {
            return Err(StartError::NotReady {
                service,
                url: service.ready_url(ports),
                log: dir.log(service),
                tail: dir.log_tail(service),
            });
        }
        sleep(POLL);
    }
    Ok(())
}

/// An error in starting a program of the stack.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The process could not be started.
    #[error("{service}: {} cannot be started: {source}", program.display())]
    Spawn {
        /// The program.
        service: Service,
        /// Its executable.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The program ended while starting.
    #[error("{service} ended while starting ({status}). The end of {}:\n{tail}", log.display())]
    Ended {
        /// The program.
        service: Service,
        /// Its exit status.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The program runs, but does not become ready.
    #[error(
        "{service} was not ready after {} s: {url} does not respond with 200. The end of {}:\n{tail}",
        READY_WITHIN.as_secs(),
        log.display()
    )]
    NotReady {
        /// The program.
        service: Service,
        /// The URL of its readiness check.
        url: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The user cancelled the start.
    #[error("cancelled while the stack was starting")]
    Cancelled,
}

impl StartError {
    /// Returns whether another program took a port after it was found free.
    pub(super) fn lost_a_port(&self) -> bool {
        matches!(self, Self::Ended { tail, .. } if tail.contains("address already in use"))
    }
}
