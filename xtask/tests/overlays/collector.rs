//! The Collector alone, with overlays.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use xtask::stack::programs::{self, Program};
use xtask::stack::{Port, Ports, Service};
use xtask::workspace;

/// A running Collector, which is stopped when it is dropped.
pub(crate) struct Collector {
    process: Child,
    pub(crate) ports: Ports,
    logs: PathBuf,
}

impl Collector {
    /// Starts it with these overlays, and the variables that they read.
    pub(crate) fn start(test: &str, overlays: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("overlays")
            .join(test)
            .join("collector");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let ports = Ports::free().expect("free ports");
        let listens_on = Service::Collector.ports().iter();
        let logs = folder.join("logs.jsonl");
        let said = File::create(folder.join("output.txt")).expect("a file");
        let process = Command::new(programs::path(Program::Otelcol).expect("the program"))
            .arg("--config=collector/config.yaml")
            .args(
                overlays
                    .iter()
                    .map(|overlay| format!("--config=collector/overlays/{overlay}.yaml")),
            )
            .current_dir(workspace::root())
            .envs(listens_on.map(|port| (port.variable(), ports.get(*port).to_string())))
            .env("COLLECTOR_HOST", "127.0.0.1")
            .env("COLLECTOR_STORAGE_DIR", folder.join("storage"))
            .env("COLLECTOR_LOGS_FILE", &logs)
            .envs(variables.iter().copied())
            // Nobody takes the traces on: what counts is that the Collector accepted them.
            .env("JAEGER_OTLP_ENDPOINT", ports.address(Port::JaegerOtlpGrpc))
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("a file"))
            .stderr(said)
            .spawn()
            .expect("the Collector starts");
        let collector = Self {
            process,
            ports,
            logs,
        };
        collector.wait_until_ready();
        collector
    }

    /// The log records that it has written.
    pub(crate) fn log_records(&self) -> String {
        fs::read_to_string(&self.logs).unwrap_or_default()
    }

    /// The log records that it has written, once there are some.
    pub(crate) fn log_records_within(&self, limit: Duration) -> String {
        let started = Instant::now();
        loop {
            let written = self.log_records();
            if !written.is_empty() || started.elapsed() > limit {
                return written;
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// What it has said.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.logs.with_file_name("output.txt")).expect("its output")
    }

    /// How many spans it has accepted since it started.
    pub(crate) fn accepted_spans(&self) -> f64 {
        let text = self
            .get(Port::CollectorSelfMetrics, "/metrics")
            .expect("its metrics");
        let samples = text
            .lines()
            .filter(|line| line.starts_with("otelcol_receiver_accepted_spans"));
        let values = samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        values.sum()
    }

    fn wait_until_ready(&self) {
        let started = Instant::now();
        while self.get(Port::CollectorHealth, "/").is_none() {
            assert!(started.elapsed() < Duration::from_secs(60), "not ready");
            sleep(Duration::from_millis(100));
        }
    }

    fn get(&self, port: Port, path: &str) -> Option<String> {
        // No proxy, whatever the environment says: it is this machine.
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .build()
            .new_agent();
        let mut answer = agent
            .get(format!("{}{path}", self.ports.url(port)))
            .call()
            .ok()?;
        answer.body_mut().read_to_string().ok()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
