//! The folder of a stack: state, logs and data.
//!
//! ```text
//! lock                   held while the stack starts or stops
//! state.json             ports, and process ids with start times
//! logs/<program>.log
//! data/<program>/
//! data/logs.jsonl        the log records that the Collector received
//! prometheus/
//!   prometheus.yml  ──►  a link to the workspace's file, like the files beside it; a copy if the rules are shortened
//!   targets/*.yml        the addresses of this stack and of a service added by `scrape_service`
//!   targets/services.yml ──►  a link to the workspace's file, in detached stacks only
//! ```
//!
//! Prometheus resolves `targets/` relative to the link, not to its target. So each stack has its own addresses, and all
//! share one configuration.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::port::Port;
use super::ports::Ports;
use super::service::Service;
use super::shortened;
use super::state::StateError;
use crate::workspace;

/// The target files of `prometheus/prometheus.yml`, and the port in each.
const TARGETS: [(&str, Port); 5] = [
    ("otel-collector", Port::CollectorPrometheus),
    ("otel-collector-spans", Port::CollectorSpanMetrics),
    ("otel-collector-self", Port::CollectorSelfMetrics),
    ("jaeger", Port::JaegerSelfMetrics),
    ("prometheus", Port::Prometheus),
];

/// The target file for the user's services.
const SERVICES: &str = "services.yml";
/// The target file of the service added by `scrape_service`.
const STARTED: &str = "started.yml";

/// Folders in `prometheus/` that are not linked.
const NOT_LINKED: [&str; 5] = ["targets", "targets-compose", "receivers", "build", "tests"];

/// Target files of programs that a stack without containers does not run. It has no such files.
#[cfg(test)]
const NOT_RUN: [&str; 1] = ["alertmanager.yml"];

/// The folder of a stack.
#[derive(Debug, Clone)]
pub struct RunDir(PathBuf);

impl RunDir {
    /// Creates the folder at `path` if it is missing.
    pub fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path.join("logs"))?;
        Ok(Self(path.canonicalize()?))
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the log file of a program.
    pub fn log(&self, service: Service) -> PathBuf {
        self.0.join("logs").join(format!("{service}.log"))
    }

    /// Returns the last lines of a program's log.
    pub fn log_tail(&self, service: Service) -> String {
        tail(&self.log(service)).unwrap_or_default()
    }

    /// Returns the data folder of a program.
    pub fn data(&self, service: Service) -> PathBuf {
        self.0.join("data").join(service.name())
    }

    /// Returns the file to which the Collector writes received log records: JSON, one OTLP request per line.
    pub fn log_records(&self) -> PathBuf {
        self.0.join("data/logs.jsonl")
    }

    /// Returns Prometheus' configuration file.
    pub fn prometheus_config(&self) -> PathBuf {
        self.0.join("prometheus/prometheus.yml")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// Locks the folder: until the lock is dropped, other processes cannot start or stop this stack.
    pub(super) fn lock(&self) -> Result<Lock, StateError> {
        let path = self.0.join("lock");
        let locked = File::create(&path).map(|file| file.try_lock().map(|()| file));
        match locked {
            Ok(Ok(file)) => Ok(Lock(file)),
            Ok(Err(TryLockError::WouldBlock)) => Err(StateError::Locked(self.0.clone())),
            Ok(Err(TryLockError::Error(source))) | Err(source) => {
                Err(StateError::File { path, source })
            }
        }
    }

    /// Removes the data of an earlier stack.
    pub(super) fn clear_data(&self) -> io::Result<()> {
        remove_folder(&self.0.join("data"))
    }

    /// Writes links and target files for Prometheus; with `users_services`, also the link to the user's services.
    pub(crate) fn write_prometheus(
        &self,
        ports: &Ports,
        scrape_interval: Option<Duration>,
        shorten_rules: Option<u32>,
        users_services: bool,
    ) -> io::Result<()> {
        let folder = self.0.join("prometheus");
        remove_folder(&folder)?;
        fs::create_dir_all(folder.join("targets"))?;
        for entry in fs::read_dir(workspace::root().join("prometheus"))? {
            let entry = entry?;
            if NOT_LINKED.iter().any(|&name| entry.file_name() == name) {
                continue;
            }
            let file = folder.join(entry.file_name());
            match shorten_rules.and_then(|divisor| shorten(&entry.path(), divisor)) {
                Some(text) => fs::write(file, text?)?,
                None => symlink(entry.path(), file)?,
            }
        }
        let targets = folder.join("targets");
        for (job, port) in TARGETS {
            let text = target(&ports.address(port), None, scrape_interval);
            fs::write(targets.join(format!("{job}.yml")), text)?;
        }
        if users_services {
            let theirs = workspace::root().join("prometheus/targets").join(SERVICES);
            symlink(theirs, targets.join(SERVICES))?;
        }
        Ok(())
    }

    /// Adds a service as a target of Prometheus, in place of an earlier one.
    pub(crate) fn scrape_service(
        &self,
        job: &str,
        address: &str,
        scrape_interval: Option<Duration>,
    ) -> io::Result<()> {
        let targets = self.0.join("prometheus/targets");
        let unfinished = targets.join("started.unfinished");
        fs::write(&unfinished, target(address, Some(job), scrape_interval))?;
        fs::rename(unfinished, targets.join(STARTED))
    }

    /// Removes the target that [`scrape_service`](Self::scrape_service) added.
    pub(super) fn forget_service(&self) -> io::Result<()> {
        fs::remove_file(self.0.join("prometheus/targets").join(STARTED))
    }
}

/// The lock of a stack's folder.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file does not unlock it while a process that another thread has just forked still has it open. If
        // unlocking fails, the lock ends with that process's `exec`.
        let _ = self.0.unlock();
    }
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns the text of a rule file or of `prometheus.yml` with shorter durations; `None` for other files.
fn shorten(path: &Path, divisor: u32) -> Option<io::Result<String>> {
    let name = path.file_name()?.to_str()?;
    let text = || fs::read_to_string(path);
    if name == "prometheus.yml" {
        Some(text().map(|text| shortened::configuration(&text)))
    } else if name.ends_with("_rules.yml") {
        Some(text().map(|text| shortened::rules(&text, divisor)))
    } else {
        None
    }
}

fn target(address: &str, job: Option<&str>, scrape_interval: Option<Duration>) -> String {
    let job = job.map(|job| format!("job: {job}"));
    let interval = scrape_interval.map(|interval| {
        let interval = interval.as_millis();
        format!("__scrape_interval__: {interval}ms, __scrape_timeout__: {interval}ms")
    });
    let labels: Vec<_> = job.into_iter().chain(interval).collect();
    let mut text = format!("- targets: [\"{address}\"]\n");
    if !labels.is_empty() {
        text.push_str(&format!("  labels: {{{}}}\n", labels.join(", ")));
    }
    text
}

/// The part of a log that is read for its last lines.
const TAIL_BYTES: u64 = 16 * 1024;
const TAIL_LINES: usize = 20;

/// Returns the last lines of a file.
pub(super) fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(last_lines(&String::from_utf8_lossy(&bytes)))
}

/// Returns the last lines of a text.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_file_of_the_workspace_is_replaced() {
        let folder = workspace::root().join("prometheus/targets");
        let mut files: Vec<_> = fs::read_dir(folder)
            .expect("targets")
            .map(|entry| {
                entry
                    .expect("entry")
                    .file_name()
                    .into_string()
                    .expect("name")
            })
            .filter(|name: &String| !NOT_RUN.contains(&name.as_str()) && name != SERVICES)
            .collect();
        files.sort();
        let mut ours: Vec<_> = TARGETS
            .iter()
            .map(|(job, _)| format!("{job}.yml"))
            .collect();
        ours.sort();
        assert_eq!(files, ours);
    }

    #[test]
    fn committed_target_files_have_the_default_ports() {
        for (job, port) in TARGETS {
            let file = workspace::root().join(format!("prometheus/targets/{job}.yml"));
            let text = fs::read_to_string(file).expect("target file");
            let address = format!("127.0.0.1:{}", port.default_number());
            assert_eq!(text, target(&address, None, None), "{job}");
        }
    }

    #[test]
    fn the_services_of_the_user_are_linked_if_asked_for() {
        let path = std::env::temp_dir().join(format!("rustok-run-dir-{}", std::process::id()));
        let dir = RunDir::create(&path).expect("a folder");
        let ports = Ports::free().expect("free ports");
        for users_services in [true, false] {
            dir.write_prometheus(&ports, None, None, users_services)
                .expect("the folder is writable");
            let file = path.join("prometheus/targets").join(SERVICES);
            assert_eq!(file.exists(), users_services);
        }
        dir.scrape_service("shop", "127.0.0.1:8080", Some(Duration::from_secs(1)))
            .expect("the folder is writable");
        let started = path.join("prometheus/targets").join(STARTED);
        assert_eq!(
            fs::read_to_string(&started).expect("a file"),
            "- targets: [\"127.0.0.1:8080\"]\n  \
             labels: {job: shop, __scrape_interval__: 1000ms, __scrape_timeout__: 1000ms}\n"
        );
        dir.forget_service().expect("it is there");
        assert!(!started.exists());
        fs::remove_dir_all(path).expect("the folder is there");
    }

    #[test]
    fn a_tail_is_short() {
        let text: String = (0..100).map(|n| format!("{n}\n")).collect();
        let tail = last_lines(&text);
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("99"));
    }
}
