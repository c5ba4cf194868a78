//! A real Collector that can be killed, stopped and started again, and what it received.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::{Error, Protocol};
use crate::children;
use crate::stack::{Port, Ports, Service, query};

/// Time for the Collector to become ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A rotation makes the file exporter write each request with one system call before it is answered, so that an answered
/// request survives `kill -9`.
const CONFIGURATION: &str = "
receivers:
  otlp:
    protocols:
      grpc: {endpoint: '127.0.0.1:${env:COLLECTOR_OTLP_GRPC_PORT}'}
      http: {endpoint: '127.0.0.1:${env:COLLECTOR_OTLP_HTTP_PORT}'}
exporters:
  file/received:
    path: ${env:FAULTS_RECEIVED}
    rotation: {max_megabytes: 1000000}
  file/discarded:
    path: /dev/null
    format: proto
  prometheus:
    endpoint: 127.0.0.1:${env:COLLECTOR_PROMETHEUS_PORT}
    translation_strategy: UnderscoreEscapingWithoutSuffixes
    without_scope_info: true
extensions:
  health_check: {endpoint: '127.0.0.1:${env:COLLECTOR_HEALTH_PORT}'}
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], exporters: ['${env:FAULTS_EXPORTER}']}
    logs: {receivers: [otlp], exporters: ['${env:FAULTS_EXPORTER}']}
    metrics: {receivers: [otlp], exporters: ['${env:FAULTS_EXPORTER}', prometheus]}
  telemetry:
    metrics: {level: none}
";

/// What the Collector does with what it receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It writes everything to a file.
    Everything,
    /// It keeps the current metrics alone.
    Metrics,
}

/// A Collector, which is killed when it is dropped.
#[derive(Debug)]
pub struct Collector {
    program: PathBuf,
    folder: PathBuf,
    ports: Ports,
    keep: Keep,
    process: Option<Child>,
    /// One file for each start, so that a kill during a write spoils no later line.
    starts: u32,
}

/// What all starts of a Collector received.
#[derive(Debug, Default)]
pub struct Received {
    spans: HashSet<String>,
    log_records: HashSet<String>,
    /// Spans and log records, with those that were sent again.
    in_all: u64,
    /// The last total of `rustok_http_requests_total`.
    pub requests: u64,
}

impl Received {
    /// Different spans, and different log records.
    pub fn different(&self) -> [u64; 2] {
        [&self.spans, &self.log_records].map(|items| items.len() as u64)
    }

    /// Spans and log records that were sent again.
    pub fn again(&self) -> u64 {
        self.in_all - self.different().iter().sum::<u64>()
    }
}

impl Collector {
    /// Starts a Collector on free ports, with its files in `folder`, and waits until it is ready.
    pub fn start(program: &Path, folder: &Path, keep: Keep) -> Result<Self, Error> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir_all(folder)?,
        }
        fs::write(folder.join("config.yaml"), CONFIGURATION)?;
        let mut collector = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            ports: Ports::free()?,
            keep,
            process: None,
            starts: 0,
        };
        collector.start_again()?;
        Ok(collector)
    }

    /// Starts it on the same ports, and waits until it is ready.
    pub fn start_again(&mut self) -> Result<(), Error> {
        self.starts += 1;
        let log = File::create(self.folder.join(format!("collector-{}.log", self.starts)))?;
        let ports = Service::Collector.ports().iter();
        let exporter = match self.keep {
            Keep::Everything => "file/received",
            Keep::Metrics => "file/discarded",
        };
        let mut command = Command::new(&self.program);
        command
            .arg("--config=config.yaml")
            .current_dir(&self.folder)
            .envs(ports.map(|&port| (port.variable(), self.ports.get(port).to_string())))
            .env("FAULTS_RECEIVED", self.received_by(self.starts))
            .env("FAULTS_EXPORTER", exporter)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let process = children::spawn(&mut command)?;
        let process = self.process.insert(process);
        let started = Instant::now();
        while !query::is_ready(&self.ports.url(Port::CollectorHealth)) {
            let ended = process.try_wait()?;
            if ended.is_some() || started.elapsed() > READY_WITHIN {
                let log = self.folder.display();
                return Err(format!("the Collector does not start, see {log}").into());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Returns the address of the receiver.
    pub fn address(&self, protocol: Protocol) -> SocketAddr {
        let port = match protocol {
            Protocol::Grpc => Port::CollectorOtlpGrpc,
            Protocol::Http => Port::CollectorOtlpHttp,
        };
        ([127, 0, 0, 1], self.ports.get(port)).into()
    }

    /// Ends it without a warning.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Both fail only for a process that has ended.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Ends it as an orchestrator does.
    pub fn terminate(&mut self) -> Result<(), Error> {
        self.signal(Signal::TERM)?;
        if let Some(mut process) = self.process.take() {
            process.wait()?;
        }
        Ok(())
    }

    /// Suspends it.
    pub fn suspend(&self) -> Result<(), Error> {
        self.signal(Signal::STOP)
    }

    /// Lets it run again.
    pub fn resume(&self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    /// Returns the current metrics as Prometheus would read them.
    pub fn metrics(&self) -> Result<String, Error> {
        let url = format!("{}/metrics", self.ports.url(Port::CollectorPrometheus));
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .build()
            .new_agent();
        Ok(agent.get(url).call()?.body_mut().read_to_string()?)
    }

    /// Reads what all starts received.
    pub fn received(&self) -> Result<Received, Error> {
        let mut received = Received::default();
        for start in 1..=self.starts {
            let file = match File::open(self.received_by(start)) {
                Ok(file) => file,
                // Nothing came.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            for line in BufReader::new(file).lines() {
                match serde_json::from_str::<Request>(&line?) {
                    Ok(request) => received.add(request),
                    // The request during which it was killed, which was not answered.
                    Err(error) if error.is_eof() => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(received)
    }

    fn received_by(&self, start: u32) -> PathBuf {
        self.folder.join(format!("received-{start}.jsonl"))
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let process = self.process.as_ref().and_then(|process| {
            let pid = i32::try_from(process.id()).ok()?;
            Pid::from_raw(pid)
        });
        Ok(kill_process(
            process.ok_or("the Collector does not run")?,
            signal,
        )?)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Received {
    fn add(&mut self, request: Request) {
        for scope in request
            .resource_spans
            .into_iter()
            .flat_map(|it| it.scope_spans)
        {
            for span in scope.spans {
                self.in_all += 1;
                self.spans.insert(span.span_id);
            }
        }
        for scope in request
            .resource_logs
            .into_iter()
            .flat_map(|it| it.scope_logs)
        {
            for record in scope.log_records {
                let number = record.attributes.into_iter().find(|it| it.key == "number");
                self.in_all += 1;
                self.log_records
                    .extend(number.and_then(|number| number.value.int_value));
            }
        }
        for scope in request
            .resource_metrics
            .into_iter()
            .flat_map(|it| it.scope_metrics)
        {
            for metric in scope.metrics {
                if metric.name == "rustok_http_requests_total" {
                    let points = metric.sum.data_points.iter();
                    let values = points.filter_map(|point| point.as_int.parse::<u64>().ok());
                    self.requests = self.requests.max(values.sum());
                }
            }
        }
    }
}

/// A line of the file: a request of one signal, with the fields that are read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Request {
    resource_spans: Vec<ResourceSpans>,
    resource_logs: Vec<ResourceLogs>,
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Deserialize)]
struct ScopeSpans {
    spans: Vec<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    span_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs {
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs {
    log_records: Vec<LogRecord>,
}

#[derive(Debug, Deserialize)]
struct LogRecord {
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
struct Attribute {
    key: String,
    #[serde(default)]
    value: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Value {
    int_value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceMetrics {
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Debug, Deserialize)]
struct ScopeMetrics {
    metrics: Vec<Metric>,
}

#[derive(Debug, Deserialize)]
struct Metric {
    name: String,
    #[serde(default)]
    sum: Sum,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sum {
    data_points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    #[serde(default)]
    as_int: String,
}
