//! The programs of the stack: command lines, environments and readiness checks.

use std::path::Path;
use std::{ffi::OsString, fmt};

use serde::{Deserialize, Serialize};

use super::port::Port;
use super::ports::Ports;
use super::programs::Program;
use super::query;
use super::run_dir::RunDir;
use crate::workspace;

/// The Collector's memory limit. `GOMEMLIMIT` is 80 % of it.
const COLLECTOR_MEMORY_LIMIT_MIB: u32 = 512;

/// A long-running program of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Stores traces and answers queries for them.
    Jaeger,
    /// Stores the metrics that the Collector pushes, and serves a web page for queries.
    VictoriaMetrics,
    /// Receives OTLP, and exports metrics, traces and logs.
    Collector,
    /// Scrapes and stores metrics.
    Prometheus,
}

/// Jaeger's storage for traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceStorage {
    /// On disk: traces survive a restart.
    #[default]
    Badger,
    /// In memory: fast, but lost at a restart.
    Memory,
}

impl TraceStorage {
    /// Returns its configuration file, relative to the root of the workspace.
    fn file(self) -> &'static str {
        match self {
            Self::Badger => "jaeger/backends/badger.yaml",
            Self::Memory => "jaeger/backends/memory.yaml",
        }
    }
}

/// The choices in which stacks differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setup {
    /// Jaeger's storage for traces.
    pub traces: TraceStorage,
    /// Whether the stack has VictoriaMetrics, and the Collector pushes metrics to it.
    pub explore: bool,
}

impl Setup {
    /// Returns the programs of the stack, in the order in which they start.
    pub fn services(self) -> impl Iterator<Item = Service> {
        let all = Service::ALL.into_iter();
        all.filter(move |&service| self.explore || service != Service::VictoriaMetrics)
    }
}

impl Service {
    /// All programs, in the order in which they start.
    pub const ALL: [Self; 4] = [
        Self::Jaeger,
        Self::VictoriaMetrics,
        Self::Collector,
        Self::Prometheus,
    ];

    /// All programs, in the order in which they stop: the Collector before the programs to which it exports, so that it
    /// can empty its queues.
    pub const STOP_ORDER: [Self; 4] = [
        Self::Prometheus,
        Self::Collector,
        Self::VictoriaMetrics,
        Self::Jaeger,
    ];

    /// Returns its executable.
    pub fn program(self) -> Program {
        match self {
            Self::Jaeger => Program::Jaeger,
            Self::Collector => Program::Otelcol,
            Self::Prometheus => Program::Prometheus,
            Self::VictoriaMetrics => Program::VictoriaMetrics,
        }
    }

    /// Returns the ports that it listens on.
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
            Self::VictoriaMetrics => &[Port::VictoriaMetrics],
        }
    }

    /// Returns a URL with something to look at: the web page of the running program, an API query if it was built
    /// without web pages, or the health of the Collector.
    pub fn page(self, ports: &Ports) -> String {
        let (page, query) = match self {
            Self::Jaeger => (ports.url(Port::JaegerQuery), "/api/services"),
            Self::Prometheus => (ports.url(Port::Prometheus), "/api/v1/targets"),
            Self::Collector => return ports.url(Port::CollectorHealth),
            Self::VictoriaMetrics => return ports.url(Port::VictoriaMetrics) + "/vmui/",
        };
        match query::is_page(&page) {
            true => page,
            false => page + query,
        }
    }

    /// Returns the URL that responds with 200 once the program is ready.
    pub fn ready_url(self, ports: &Ports) -> String {
        match self {
            Self::Jaeger => format!("{}/status", ports.url(Port::JaegerHealth)),
            Self::Collector => ports.url(Port::CollectorHealth),
            Self::Prometheus => format!("{}/-/ready", ports.url(Port::Prometheus)),
            Self::VictoriaMetrics => format!("{}/health", ports.url(Port::VictoriaMetrics)),
        }
    }

    /// Returns its configuration files, relative to the root of the workspace.
    pub fn configuration(self, setup: Setup) -> Vec<&'static str> {
        match self {
            Self::Jaeger => vec!["jaeger/config.yaml", setup.traces.file()],
            Self::Collector if setup.explore => {
                vec![
                    "collector/config.yaml",
                    "collector/overlays/remote-write.yaml",
                ]
            }
            Self::Collector => vec!["collector/config.yaml"],
            Self::Prometheus => vec!["prometheus/prometheus.yml"],
            Self::VictoriaMetrics => Vec::new(),
        }
    }

    /// Returns the command line without the program.
    pub(crate) fn arguments(self, ports: &Ports, dir: &RunDir, setup: Setup) -> Vec<OsString> {
        match self {
            Self::Jaeger | Self::Collector => self
                .configuration(setup)
                .into_iter()
                .map(|file| option("--config=", &workspace::root().join(file)))
                .collect(),
            Self::Prometheus => vec![
                option("--config.file=", &dir.prometheus_config()),
                option("--storage.tsdb.path=", &dir.data(self)),
                format!("--web.listen-address={}", ports.address(Port::Prometheus)).into(),
                // Stores exemplars; off by default.
                "--enable-feature=exemplar-storage".into(),
                // Delay until new targets are scraped; 5 s by default.
                "--scrape.discovery-reload-interval=1s".into(),
            ],
            Self::VictoriaMetrics => vec![
                option("-storageDataPath=", &dir.data(self)),
                format!("-httpListenAddr={}", ports.address(Port::VictoriaMetrics)).into(),
                // As long as Jaeger keeps traces.
                "-retentionPeriod=7d".into(),
                // Queries return pushed samples at once; by default, after 30 s.
                "-search.latencyOffset=0s".into(),
            ],
        }
    }

    /// Returns the environment variables that its configuration reads.
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
                (
                    "PROMETHEUS_REMOTE_WRITE_URL",
                    format!("{}/api/v1/write", ports.url(Port::VictoriaMetrics)).into(),
                ),
            ]),
            Self::Prometheus | Self::VictoriaMetrics => {}
        }
        variables
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Jaeger => "jaeger",
            Self::Collector => "collector",
            Self::Prometheus => "prometheus",
            Self::VictoriaMetrics => "victoria-metrics",
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
