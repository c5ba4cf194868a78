//! What runs in a run folder, written down so that a later process can find and stop it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ports::Ports;
use super::process::{ProcessId, Stopped};
use super::run_dir::RunDir;
use super::service::{Service, TraceStorage};

/// The processes of one stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) ports: Ports,
    #[serde(default)]
    pub(super) traces: TraceStorage,
    pub(super) processes: BTreeMap<Service, ProcessId>,
}

impl State {
    pub(super) fn new(ports: Ports, traces: TraceStorage) -> Self {
        Self {
            ports,
            traces,
            processes: BTreeMap::new(),
        }
    }

    /// What was written last; none if nothing is up.
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

    /// Writes it; a reader sees the old state or the new one, never half of it.
    pub(super) fn write(&self, dir: &RunDir) -> Result<(), StateError> {
        let path = dir.state();
        let unfinished = path.with_extension("json.unfinished");
        serde_json::to_vec_pretty(self)
            .map_err(io::Error::other)
            .and_then(|bytes| fs::write(&unfinished, bytes))
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(|source| StateError::File { path, source })
    }

    /// Forgets it.
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

    /// Stops every process, one after the other, so that each can hand over what it holds.
    pub(super) fn stop(&self) -> Vec<(Service, Stopped)> {
        Service::STOP_ORDER
            .iter()
            .filter_map(|&service| Some((service, self.processes.get(&service)?.stop())))
            .collect()
    }
}

/// The file that says what runs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can be read, but makes no sense.
    #[error(
        "{} does not say which programs run: {source}. \
         If none of the stack's programs runs any more, remove the file.",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: serde_json::Error,
    },
    /// Another process starts or stops the same stack.
    #[error("another process is starting or stopping the stack in {}: try again when it is done",
        .0.display())]
    Locked(PathBuf),
}
