//! A process that is known by its id *and* its start time, so that one which was given the same id
//! later is never taken for it.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// How long a program may take to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(15);
/// How long the kernel may take to end a killed program.
const AFTER_KILL: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// One process, for as long as it lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pid: u32,
    /// The boot of the machine and the time since then; opaque, only ever compared.
    started: String,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It had ended before.
    Already,
    /// It ended when asked to.
    Gracefully,
    /// It did not end when asked to, and was killed.
    Killed,
    /// It did not even end when killed.
    StillRunning,
}

impl ProcessId {
    /// The process that has this id now.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self {
            pid,
            started: start_time(pid)?,
        })
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it is still this process that has the id, and has not ended.
    pub fn is_running(&self) -> bool {
        start_time(self.pid).is_some_and(|started| started == self.started)
    }

    /// Asks the process to end, waits, and kills it if it does not.
    pub fn stop(&self) -> Stopped {
        if !self.signal(Signal::TERM) {
            return Stopped::Already;
        }
        if self.ends_within(GRACE) {
            return Stopped::Gracefully;
        }
        self.kill()
    }

    /// Ends the process without asking it.
    pub fn kill(&self) -> Stopped {
        if !self.signal(Signal::KILL) {
            return Stopped::Already;
        }
        if self.ends_within(AFTER_KILL) {
            Stopped::Killed
        } else {
            Stopped::StillRunning
        }
    }

    /// Sends the signal if it is still this process; says whether it was sent.
    fn signal(&self, signal: Signal) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        self.is_running() && pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
    }

    fn ends_within(&self, bound: Duration) -> bool {
        let deadline = Instant::now() + bound;
        while self.is_running() {
            if Instant::now() > deadline {
                return false;
            }
            sleep(POLL);
        }
        true
    }
}

/// When the process started, in a form that is only good for comparing; none if it has ended.
fn start_time(pid: u32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let (ended, ticks) = end_and_start(&stat)?;
        if ended && !has_other_threads(pid) {
            return None;
        }
        Some(format!("{} {ticks}", boot.trim()))
    } else {
        let output = Command::new("ps")
            .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (status, started) = text.trim().split_once(' ')?;
        (!status.starts_with('Z')).then(|| started.trim().to_owned())
    }
}

/// Whether the process has ended and waits for its parent, and field 22: when it started.
fn end_and_start(stat: &str) -> Option<(bool, &str)> {
    // Field 2 is the name in parentheses, and may itself contain spaces and parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let status = fields.next()?;
    Some((matches!(status, "Z" | "X"), fields.nth(18)?))
}

/// A process is shown as ended as soon as its first thread has; the others may still hold ports.
fn has_other_threads(pid: u32) -> bool {
    std::fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|threads| threads.count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_found_behind_a_strange_name() {
        let stat = "77 (a) (b c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(end_and_start(stat), Some((false, "4242")));
    }

    #[test]
    fn a_process_that_waits_for_its_parent_has_ended() {
        let stat = "77 (a) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(end_and_start(stat), Some((true, "4242")));
    }

    #[test]
    fn another_process_with_the_same_id_is_left_alone() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let real = ProcessId::of(child.id()).expect("running");
        let reused = ProcessId {
            started: "an earlier one".to_owned(),
            ..real.clone()
        };
        assert_eq!(reused.stop(), Stopped::Already);
        assert!(real.is_running());
        assert_eq!(real.stop(), Stopped::Gracefully);
        child.wait().expect("reaped");
        assert!(!real.is_running());
    }
}
