//! The programs that make up the stack: how each is started, and how one sees that it is ready.

use std::path::Path;
use std::{ffi::OsString, fmt};

use serde::{Deserialize, Serialize};

use super::port::Port;
use super::ports::Ports;
use super::programs::Program;
use super::query;
use super::run_dir::RunDir;
use crate::workspace;

/// The Collector's memory limit when run by us; the Go runtime is told 80 % of it.
const COLLECTOR_MEMORY_LIMIT_MIB: u32 = 512;

/// A program of the stack that keeps running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Stores traces and answers queries for them.
    Jaeger,
    /// Takes OTLP in, and hands metrics and traces on.
    Collector,
    /// Scrapes and stores metrics.
    Prometheus,
}

/// Where Jaeger keeps traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceStorage {
    /// On disk: they survive a restart.
    #[default]
    Badger,
    /// In memory: quick, and gone afterwards.
    Memory,
}

impl TraceStorage {
    /// Its configuration, from the root of the workspace.
    fn file(self) -> &'static str {
        match self {
            Self::Badger => "jaeger/backends/badger.yaml",
            Self::Memory => "jaeger/backends/memory.yaml",
        }
    }
}

impl Service {
    /// All of them, in the order in which they start. They stop in the reverse order of the data's
    /// way: see [`Service::STOP_ORDER`].
    pub const ALL: [Self; 3] = [Self::Jaeger, Self::Collector, Self::Prometheus];

    /// The Collector stops before Jaeger, so that it can hand over what it holds.
    pub const STOP_ORDER: [Self; 3] = [Self::Prometheus, Self::Collector, Self::Jaeger];

    /// The program that it runs.
    pub fn program(self) -> Program {
        match self {
            Self::Jaeger => Program::Jaeger,
            Self::Collector => Program::Otelcol,
            Self::Prometheus => Program::Prometheus,
        }
    }

    /// The ports that it listens on.
    pub fn ports(self) -> &'static [Port] {
        match self {
            Self::Jaeger => &[
                Port::JaegerOtlpGrpc,
                Port::JaegerQuery,
                Port::JaegerQueryGrpc,
                Port::JaegerHealth,
                Port::JaegerSelfMetrics,
            ],
            Self::Collector => &[
                Port::CollectorOtlpGrpc,
                Port::CollectorOtlpHttp,
                Port::CollectorPrometheus,
                Port::CollectorSpanMetrics,
                Port::CollectorSelfMetrics,
                Port::CollectorHealth,
            ],
            Self::Prometheus => &[Port::Prometheus],
        }
    }

    /// The web page of the program that runs; of a program without web pages, a query to its API; of the Collector, its
    /// health. Each answers with something to look at.
    pub fn page(self, ports: &Ports) -> String {
        let (page, query) = match self {
            Self::Jaeger => (ports.url(Port::JaegerQuery), "/api/services"),
            Self::Prometheus => (ports.url(Port::Prometheus), "/api/v1/targets"),
            Self::Collector => return ports.url(Port::CollectorHealth),
        };
        match query::is_page(&page) {
            true => page,
            false => page + query,
        }
    }

    /// The address that answers 200 once the program is ready.
    pub fn ready_url(self, ports: &Ports) -> String {
        match self {
            Self::Jaeger => format!("{}/status", ports.url(Port::JaegerHealth)),
            Self::Collector => ports.url(Port::CollectorHealth),
            Self::Prometheus => format!("{}/-/ready", ports.url(Port::Prometheus)),
        }
    }

    /// Its configuration files, from the root of the workspace.
    pub fn configuration(self, traces: TraceStorage) -> Vec<&'static str> {
        match self {
            Self::Jaeger => vec!["jaeger/config.yaml", traces.file()],
            Self::Collector => vec!["collector/config.yaml"],
            Self::Prometheus => vec!["prometheus/prometheus.yml"],
        }
    }

    /// The command line, without the program.
    pub(super) fn arguments(
        self,
        ports: &Ports,
        dir: &RunDir,
        traces: TraceStorage,
    ) -> Vec<OsString> {
        match self {
            Self::Jaeger | Self::Collector => self
                .configuration(traces)
                .into_iter()
                .map(|file| option("--config=", &workspace::root().join(file)))
                .collect(),
            Self::Prometheus => vec![
                option("--config.file=", &dir.prometheus_config()),
                option("--storage.tsdb.path=", &dir.data(self)),
                format!("--web.listen-address={}", ports.address(Port::Prometheus)).into(),
                // Keeps which trace is behind a bucket; off unless said.
                "--enable-feature=exemplar-storage".into(),
                // How long it waits before it takes newly found targets up; 5 s unless said.
                "--scrape.discovery-reload-interval=1s".into(),
            ],
        }
    }

    /// The environment that its configuration reads.
    pub(super) fn environment(self, ports: &Ports, dir: &RunDir) -> Vec<(&'static str, OsString)> {
        let mut variables: Vec<(&str, OsString)> = self
            .ports()
            .iter()
            .map(|&port| (port.variable(), ports.get(port).to_string().into()))
            .collect();
        match self {
            Self::Jaeger => variables.extend([
                ("JAEGER_HOST", "127.0.0.1".into()),
                ("JAEGER_STORAGE_DIR", dir.data(self).into()),
                ("JAEGER_PROMETHEUS_URL", ports.url(Port::Prometheus).into()),
                (
                    "JAEGER_UI_CONFIG",
                    workspace::root().join("jaeger/ui.json").into(),
                ),
            ]),
            Self::Collector => variables.extend([
                ("COLLECTOR_HOST", "127.0.0.1".into()),
                ("COLLECTOR_STORAGE_DIR", dir.data(self).into()),
                ("COLLECTOR_LOGS_FILE", dir.log_records().into()),
                (
                    "COLLECTOR_MEMORY_LIMIT_MIB",
                    COLLECTOR_MEMORY_LIMIT_MIB.to_string().into(),
                ),
                (
                    "GOMEMLIMIT",
                    format!("{}MiB", COLLECTOR_MEMORY_LIMIT_MIB * 8 / 10).into(),
                ),
                (
                    "JAEGER_OTLP_ENDPOINT",
                    ports.address(Port::JaegerOtlpGrpc).into(),
                ),
                ("JAEGER_OTLP_INSECURE", "true".into()),
            ]),
            Self::Prometheus => {}
        }
        variables
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Jaeger => "jaeger",
            Self::Collector => "collector",
            Self::Prometheus => "prometheus",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}
