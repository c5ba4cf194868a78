//! A Java server that can be killed and started again.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::faults::service::resident;
use crate::scale::{Error, maven};
use crate::stack::{Port, Ports};

/// Time for a server to become ready. Nodes of Cassandra that join wait for each other.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// A server of a store, which is killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    jars: PathBuf,
    folder: PathBuf,
    arguments: Vec<OsString>,
    address: SocketAddr,
    is_ready: fn(SocketAddr) -> bool,
    process: Option<Child>,
}

impl Server {
    /// Returns a server that does not run yet: Java with `jars` and `arguments`, in `folder`. `is_ready` returns whether
    /// it responds at `address`.
    pub fn new(
        jars: &Path,
        folder: &Path,
        arguments: Vec<OsString>,
        address: SocketAddr,
        is_ready: fn(SocketAddr) -> bool,
    ) -> Result<Self, Error> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            jars: jars.to_owned(),
            folder: folder.to_owned(),
            arguments,
            address,
            is_ready,
            process: None,
        })
    }

    /// Starts it with the data of its last start, and waits until it is ready. Returns the time that it took.
    pub fn start(&mut self) -> Result<Duration, Error> {
        let started = Instant::now();
        let path = self.folder.join("log.txt");
        let log = File::options().create(true).append(true).open(&path)?;
        let process = maven::java(&self.jars)
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| maven::missing("java", &error))?;
        let process = self.process.insert(process);
        while !(self.is_ready)(self.address) {
            let ended = process.try_wait()?;
            if ended.is_some() || started.elapsed() > READY_WITHIN {
                let problem = match ended {
                    Some(status) => format!("ended with {status}"),
                    None => format!("is not ready after {} s", READY_WITHIN.as_secs()),
                };
                return Err(format!("the server {problem}, see {}", path.display()).into());
            }
            sleep(Duration::from_millis(100));
        }
        Ok(started.elapsed())
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Both fail only for a process that has ended.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Returns the address for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its resident memory in bytes.
    pub fn resident(&self) -> Result<u64, Error> {
        resident(self.process.as_ref().ok_or("it does not run")?.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns two free ports: for clients, and for other nodes.
pub(super) fn ports() -> Result<[u16; 2], Error> {
    // Any two of them; the servers are no part of the stack.
    let free = Ports::free()?;
    Ok([Port::CollectorOtlpGrpc, Port::CollectorOtlpHttp].map(|port| free.get(port)))
}
