//! The spool of a service: in a folder, or on a small disk that a run can fill.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;

/// Mounts a small disk on the folder `$0`. The batches of a second take a fortieth of it.
const MOUNT: &str = "mount -t tmpfs -o size=8m tmpfs \"$0\"";

/// Where the spool of a service is.
#[derive(Debug, Clone, Copy)]
pub enum Spool<'a> {
    /// In this folder.
    InFolder(&'a Path),
    /// In this folder, on which a small `tmpfs` is mounted, for this service alone.
    OnSmallDisk(&'a Path),
}

impl<'a> Spool<'a> {
    /// Returns `RUSTOK_TELEMETRY_SPOOL_DIR`.
    pub(super) fn directory(self) -> &'a Path {
        match self {
            Self::InFolder(folder) | Self::OnSmallDisk(folder) => folder,
        }
    }
}

/// Returns a command that runs `program` after `mount`, in a mount namespace of its own; `$0` in `mount` is `argument`.
/// `exec` keeps the process id.
pub(super) fn in_namespace(mount: &str, argument: &Path, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg(format!("{mount} && exec \"$@\""))
        .args([argument, program]);
    command
}

/// Returns a command that runs `program` with a small disk mounted on `folder`.
pub(super) fn with_small_disk(folder: &Path, program: &Path) -> io::Result<Command> {
    fs::create_dir_all(folder)?;
    Ok(in_namespace(MOUNT, folder, program))
}

/// A file that fills the disk of a spool.
#[derive(Debug)]
pub(super) struct Ballast(PathBuf);

impl Ballast {
    /// Of a running service with a small disk on `folder`, which no other process sees there.
    pub(super) fn new(pid: u32, folder: &Path) -> Self {
        let folder = folder.display();
        Self(format!("/proc/{pid}/root{folder}/ballast").into())
    }

    /// Writes until the disk is full.
    pub(super) fn fill(&self) -> Result<(), Error> {
        let mut file = File::options().create(true).append(true).open(&self.0)?;
        loop {
            match file.write(&[0; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.0)
    }
}
