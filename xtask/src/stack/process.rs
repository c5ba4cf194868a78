//! A process, identified by its id and its start time, because ids are reused.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// Time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(15);
/// Time for the kernel to end a killed process.
const AFTER_KILL: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// A process, until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pid: u32,
    /// The boot id and the start time since boot. Opaque, used for comparisons only.
    started: String,
}

/// The result of stopping a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It was not running.
    Already,
    /// It ended after SIGTERM.
    Gracefully,
    /// It ended after SIGKILL.
    Killed,
    /// It still runs after SIGKILL.
    StillRunning,
}

impl ProcessId {
    /// Returns the process that has this id now.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self {
            pid,
            started: start_time(pid)?,
        })
    }

    /// Returns its id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns whether this process still runs.
    pub fn is_running(&self) -> bool {
        start_time(self.pid).is_some_and(|started| started == self.started)
    }

    /// Sends SIGTERM, waits for the process to end, and kills it if it does not.
    pub fn stop(&self) -> Stopped {
        if !self.signal(Signal::TERM) {
            return Stopped::Already;
        }
        if self.ends_within(GRACE) {
            return Stopped::Gracefully;
        }
        self.kill()
    }

    /// Sends SIGKILL and waits for the process to end.
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

    /// Sends the signal if this process still runs. Returns whether it was sent.
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

/// Returns the start time of a process, for comparisons; `None` if it has ended.
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

/// Returns whether the process is a zombie, and field 22, its start time.
fn end_and_start(stat: &str) -> Option<(bool, &str)> {
    // Field 2 is the name in parentheses, and may itself contain spaces and parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let status = fields.next()?;
    Some((matches!(status, "Z" | "X"), fields.nth(18)?))
}

/// Returns whether other threads run. The state of a process is that of its first thread; others may still hold ports.
fn has_other_threads(pid: u32) -> bool {
    std::fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|threads| threads.count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_is_parsed_after_any_process_name() {
        let stat = "77 (a) (b c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(end_and_start(stat), Some((false, "4242")));
    }

    #[test]
    fn zombie_has_ended() {
        let stat = "77 (a) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(end_and_start(stat), Some((true, "4242")));
    }

    #[test]
    fn another_process_with_the_same_id_is_not_stopped() {
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
