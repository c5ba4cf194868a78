//! The state file of a stack, with which a later process can find and stop it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ports::Ports;
use super::process::{ProcessId, Stopped};
use super::run_dir::RunDir;
use super::service::{Service, Setup};

/// The ports and processes of a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) ports: Ports,
    #[serde(default)]
    pub(super) setup: Setup,
    pub(super) processes: BTreeMap<Service, ProcessId>,
}

impl State {
    pub(super) fn new(ports: Ports, setup: Setup) -> Self {
        Self {
            ports,
            setup,
            processes: BTreeMap::new(),
        }
    }

    /// Reads the state file; `None` if it does not exist.
    pub(super) fn read(dir: &RunDir) -> Result<Option<Self>, StateError> {
        let path = dir.state();
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(state) => Ok(Some(state)),
                Err(source) => Err(StateError::Unreadable { path, source }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StateError::File { path, source }),
        }
    }

    /// Writes the state file atomically.
    pub(super) fn write(&self, dir: &RunDir) -> Result<(), StateError> {
        let path = dir.state();
        let unfinished = path.with_extension("json.unfinished");
        serde_json::to_vec_pretty(self)
            .map_err(io::Error::other)
            .and_then(|bytes| fs::write(&unfinished, bytes))
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(|source| StateError::File { path, source })
    }

    /// Removes the state file.
    pub(super) fn remove(dir: &RunDir) -> Result<(), StateError> {
        let path = dir.state();
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StateError::File { path, source })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_running(&self, service: Service) -> bool {
        self.processes
            .get(&service)
            .is_some_and(ProcessId::is_running)
    }

    /// Stops the processes one after the other, so that each can export its data to the next.
    pub(super) fn stop(&self) -> Vec<(Service, Stopped)> {
        Service::STOP_ORDER
            .iter()
            .filter_map(|&service| Some((service, self.processes.get(&service)?.stop())))
            .collect()
    }
}

/// An error of the state file or its lock.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The content is invalid.
    #[error(
        "{} is not a valid state file: {source}. \
         If no program of the stack runs, remove the file.",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// Another process is starting or stopping the same stack.
    #[error("another process is starting or stopping the stack in {}: retry when it has finished",
        .0.display())]
    Locked(PathBuf),
}
