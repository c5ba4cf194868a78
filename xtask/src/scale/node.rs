//! A program of the tiers, which can be killed and started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Error, eventually};
use crate::faults::service::resident;
use crate::stack::{Port, Ports, Service, query};
use crate::workspace;

/// Time for a program to become ready. The first Jaeger on Cassandra creates tables.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// A Collector or a Jaeger, which is killed when it is dropped.
#[derive(Debug)]
pub struct Node {
    service: Service,
    program: PathBuf,
    configuration: Vec<String>,
    variables: Vec<(&'static str, String)>,
    folder: PathBuf,
    ports: Ports,
    process: Option<Child>,
    starts: u32,
}

impl Node {
    /// Returns a node that does not run yet. `configuration` has files relative to the root of the workspace.
    pub fn new(
        service: Service,
        program: &Path,
        configuration: &[&str],
        folder: &Path,
    ) -> Result<Self, Error> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            service,
            program: program.to_owned(),
            configuration: configuration.iter().map(|&file| file.to_owned()).collect(),
            variables: Vec::new(),
            folder: folder.to_owned(),
            ports: Ports::free()?,
            process: None,
            starts: 0,
        })
    }

    /// Sets a variable that the configuration reads.
    pub fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.variables.push((variable, value.into()));
    }

    /// Returns its ports.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Starts it with the data of its last start, and waits until it is ready. Returns the time that it took.
    pub fn start(&mut self) -> Result<Duration, Error> {
        self.starts += 1;
        let log = self.folder.join(format!("log-{}.txt", self.starts));
        let output = File::create(&log)?;
        let ports = self.service.ports().iter();
        let started = Instant::now();
        let process = Command::new(&self.program)
            .args(
                self.configuration
                    .iter()
                    .map(|file| format!("--config={file}")),
            )
            .current_dir(workspace::root())
            .envs(ports.map(|&port| (port.variable(), self.ports.get(port).to_string())))
            .env("COLLECTOR_STORAGE_DIR", self.folder.join("storage"))
            .env("COLLECTOR_LOGS_FILE", self.folder.join("logs.jsonl"))
            .env("SCALE_KEPT_FILE", self.kept_by(self.starts))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        self.process = Some(process);
        let url = self.service.ready_url(&self.ports);
        eventually(READY_WITHIN, || match query::is_ready(&url) {
            true => Ok(()),
            false => Err(format!("{} is not ready, see {}", self.service, log.display()).into()),
        })?;
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

    /// Returns its resident memory in bytes.
    pub fn resident(&self) -> Result<u64, Error> {
        resident(self.process.as_ref().ok_or("it does not run")?.id())
    }

    /// Returns the sum of the series of one of its own metrics that have all of `labels`, such as `queue="traces"`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> Result<f64, Error> {
        let url = format!("{}/metrics", self.ports.url(Port::CollectorSelfMetrics));
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .build()
            .new_agent();
        let text = agent.get(url).call()?.body_mut().read_to_string()?;
        let series = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        });
        let values = series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        Ok(values.sum())
    }

    /// Returns how many spans its exporters have in their queues, or are exporting.
    pub fn queued_spans(&self) -> Result<f64, Error> {
        self.metric("otelcol_exporter_queue_size", &["data_type=\"traces\""])
    }

    /// Returns the files with the traces that it kept, one for each start.
    pub(super) fn kept_files(&self) -> impl Iterator<Item = PathBuf> {
        (1..=self.starts).map(|start| self.kept_by(start))
    }

    /// One file for each start, so that a kill during a write spoils no later line.
    fn kept_by(&self, start: u32) -> PathBuf {
        self.folder.join(format!("kept-{start}.jsonl"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
