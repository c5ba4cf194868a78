//! A program, which can be killed and started again.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::Process;
use super::{Error, client};
use crate::faults::service::clear_environment;
use crate::stack::{Port, Ports, Service, query};
use crate::workspace;

/// A program, which is killed when it is dropped.
#[derive(Debug)]
pub struct Node {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, String)>,
    /// Responds with 200 once it is ready.
    ready_url: String,
    metrics_url: String,
    folder: PathBuf,
    ports: Ports,
    pub(super) process: Process,
}

impl Node {
    /// Returns a Collector or a Jaeger that does not run yet. `configuration` has files relative to the root of the
    /// workspace.
    pub fn new(
        service: Service,
        program: &Path,
        configuration: &[&str],
        folder: &Path,
    ) -> Result<Self, Error> {
        let ports = Ports::free()?;
        let files = configuration.iter();
        let mut node = Self::of_program(
            &service.to_string(),
            program,
            files.map(|file| format!("--config={file}")),
            &service.ready_url(&ports),
            folder,
        )?;
        for &port in service.ports() {
            node.set(port.variable(), ports.get(port).to_string());
        }
        for (variable, file) in [
            ("COLLECTOR_STORAGE_DIR", "storage"),
            ("COLLECTOR_LOGS_FILE", "logs.jsonl"),
        ] {
            node.set(variable, folder.join(file).display().to_string());
        }
        if service == Service::Collector {
            node.metrics_url = format!("{}/metrics", ports.url(Port::CollectorSelfMetrics));
        }
        node.ports = ports;
        Ok(node)
    }

    /// Returns another program that does not run yet. `ready_url` responds with 200 once it is ready.
    pub fn of_program(
        name: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        ready_url: &str,
        folder: &Path,
    ) -> Result<Self, Error> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            program: program.to_owned(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            variables: Vec::new(),
            ready_url: ready_url.to_owned(),
            metrics_url: format!("{}/metrics", origin(ready_url)),
            folder: folder.to_owned(),
            ports: Ports::free()?,
            process: Process::new(name, folder),
        })
    }

    /// Sets a variable of its environment.
    pub fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.variables.push((variable, value.into()));
    }

    /// Returns its ports, if it is a Collector or a Jaeger.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Starts it with the data of its last start, and waits until it is ready. Returns the time that it took.
    pub fn start(&mut self) -> Result<Duration, Error> {
        let kept = self.kept_by(self.process.starts() + 1);
        let mut command = Command::new(&self.program);
        clear_environment(&mut command);
        command
            .args(&self.arguments)
            .current_dir(workspace::root())
            .env("SCALE_KEPT_FILE", kept)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        let url = &self.ready_url;
        self.process.start(&mut command, |_| query::is_ready(url))
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Returns its resident memory in bytes.
    pub fn resident(&self) -> Result<u64, Error> {
        self.process.resident()
    }

    /// Returns the sum of the series of one of its own metrics that have all of `labels`, such as `queue="traces"`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> Result<f64, Error> {
        let mut response = client().get(&self.metrics_url).call()?;
        let text = response.body_mut().read_to_string()?;
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
        (1..=self.process.starts()).map(|start| self.kept_by(start))
    }

    /// One file for each start, so that a kill during a write spoils no later line.
    fn kept_by(&self, start: u32) -> PathBuf {
        self.folder.join(format!("kept-{start}.jsonl"))
    }
}

/// Returns a URL without its path.
fn origin(url: &str) -> &str {
    let path = url.match_indices('/').nth(2);
    path.map_or(url, |(at, _)| &url[..at])
}
