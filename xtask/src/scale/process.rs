//! A program that can be killed and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Error;
use crate::children;
use crate::faults::service::{processor_time, resident};

/// Time to become ready. The first Jaeger on Cassandra creates tables, and nodes of Cassandra wait for each other.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// A program, which is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    folder: PathBuf,
    child: Option<Child>,
    starts: u32,
}

impl Process {
    /// Returns a program that does not run yet, with its log files in `folder`.
    pub(super) fn new(name: &str, folder: &Path) -> Self {
        Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            child: None,
            starts: 0,
        }
    }

    /// Returns how often it was started.
    pub(super) fn starts(&self) -> u32 {
        self.starts
    }

    /// Starts it, and waits until `is_ready` returns `true` for its log. Returns the time that it took.
    pub(super) fn start(
        &mut self,
        command: &mut Command,
        is_ready: impl Fn(&Path) -> bool,
    ) -> Result<Duration, Error> {
        self.starts += 1;
        let log = self.folder.join(format!("log-{}.txt", self.starts));
        let output = File::create(&log)?;
        let started = Instant::now();
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = children::spawn(command).map_err(|error| format!("{}: {error}", self.name))?;
        let child = self.child.insert(child);
        while !is_ready(&log) {
            let problem = match child.try_wait()? {
                Some(status) => format!("ended with {status}"),
                None if started.elapsed() > READY_WITHIN => {
                    format!("is not ready after {} s", READY_WITHIN.as_secs())
                }
                None => {
                    sleep(Duration::from_millis(100));
                    continue;
                }
            };
            return Err(format!("{} {problem}, see {}", self.name, log.display()).into());
        }
        Ok(started.elapsed())
    }

    /// Returns its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns how it ended, if it was started and has ended by itself.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        let ended = self.child.as_mut().map(Child::try_wait);
        Ok(ended.transpose()?.flatten())
    }

    /// Ends it with SIGKILL.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only for a process that has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Returns its resident memory in bytes.
    pub(super) fn resident(&self) -> Result<u64, Error> {
        resident(self.id()?)
    }

    /// Returns the processor time that it has used.
    pub(super) fn processor_time(&self) -> Result<Duration, Error> {
        processor_time(self.id()?)
    }

    fn id(&self) -> Result<u32, Error> {
        let child = self.child.as_ref();
        Ok(child.ok_or("it does not run")?.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
