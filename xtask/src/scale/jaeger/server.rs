//! A Java server that can be killed and started again.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::scale::process::Process;
use crate::scale::{Error, maven};

/// A server of a store, which is killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    jars: PathBuf,
    folder: PathBuf,
    arguments: Vec<OsString>,
    address: SocketAddr,
    is_ready: fn(SocketAddr) -> bool,
    pub(in crate::scale) process: Process,
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
            process: Process::new("the server", folder),
        })
    }

    /// Starts it with the data of its last start, and waits until it is ready. Returns the time that it took.
    pub fn start(&mut self) -> Result<Duration, Error> {
        let mut java = maven::java(&self.jars);
        java.args(&self.arguments).current_dir(&self.folder);
        let (is_ready, address) = (self.is_ready, self.address);
        self.process.start(&mut java, |_| is_ready(address))
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Returns the address for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its resident memory in bytes.
    pub fn resident(&self) -> Result<u64, Error> {
        self.process.resident()
    }
}
