//! The stack past one machine, with all its parts.
//!
//! ```text
//! rustok-server ─► agent ─┬─ traces ─► Kafka ─┬─► gateway ─┬─ traces ─► Jaeger ─► three nodes of Cassandra ◄─ Jaeger
//! rustok-server ─► agent ─┴─ metrics, logs ───┴─► gateway ─┴─ metrics ─► two receivers of Thanos ◄─ querier
//! ```
//!
//! - [`counts`]: whether the stores have what the services counted.
//! - [`kills`]: what is lost when a part is killed.

pub mod counts;
pub mod kills;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::broker::Broker;
use super::jaeger::{Storage, Store, TIMEOUT};
use super::kafka::{self, start_broker};
use super::node::Node;
use super::stores::thanos::Thanos;
use super::tiers::{self, Additions, clear};
use super::{Error, service};
use crate::progress::Reporter;
use crate::stack::{Port, Ports, Service};

/// The programs, and the folder for their files.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The tiers, and the folder.
    pub tiers: tiers::Programs,
    /// Thanos.
    pub thanos: PathBuf,
    /// `rustok-server`.
    pub server: PathBuf,
}

impl Programs {
    /// Returns the folder for the files of services.
    fn services(&self) -> PathBuf {
        self.tiers.folder.join("services")
    }
}

/// The running stack, which is killed when it is dropped: what sends before what receives.
#[derive(Debug)]
pub struct Large {
    /// `rustok-server`, one for each agent.
    pub services: Vec<Node>,
    /// The first tier.
    pub agents: [Node; 2],
    /// The second tier.
    pub gateways: [Node; 2],
    /// Kafka.
    pub broker: Broker,
    /// The store of traces.
    pub storage: Storage,
    /// The store of metrics.
    pub thanos: Thanos,
}

impl Large {
    /// Starts everything but services, with empty stores. The gateways keep all traces with errors, all slow ones, and
    /// this percentage of the others.
    pub fn start(programs: &Programs, percent: u8, reporter: &mut Reporter) -> Result<Self, Error> {
        let folder = &programs.tiers.folder;
        clear(folder)?;
        reporter.note("starting three nodes of Cassandra, and four Jaegers");
        let jaeger = &programs.tiers.jaeger;
        let storage = Storage::start(jaeger, Store::Cassandra, &folder.join("traces"))?;
        reporter.note("starting Kafka, two receivers of Thanos and a querier");
        let broker = start_broker(&folder.join("kafka"), reporter)?;
        let thanos = Thanos::start(&programs.thanos, &folder.join("metrics"))?;
        reporter.note("starting two gateways and two agents");
        let additions = Additions {
            agents: &[kafka::AGENT],
            gateways: &[kafka::GATEWAY, REMOTE_WRITE, GATEWAY_LABEL],
            variables: vec![
                kafka::brokers(&broker),
                ("PROMETHEUS_REMOTE_WRITE_URL", thanos.write_url.clone()),
                ("JAEGER_OTLP_TIMEOUT", TIMEOUT.to_owned()),
                ("SAMPLING_PERCENT", percent.to_string()),
            ],
        };
        let gateways = tiers::gateways(&programs.tiers, storage.write_addresses(), &additions)?;
        let agents = tiers::agents(&programs.tiers, &gateways, &additions)?;
        Ok(Self {
            services: Vec::new(),
            agents,
            gateways,
            broker,
            storage,
            thanos,
        })
    }

    /// Starts `count` services, which export to the agents in turn. Their instances are `{name}-0` and so on. Returns
    /// their addresses.
    pub fn start_services(
        &mut self,
        programs: &Programs,
        (name, count): (&str, usize),
        interval: Duration,
        arguments: impl Fn(&Path) -> Vec<String>,
    ) -> Result<Vec<String>, Error> {
        let mut addresses = Vec::new();
        for (number, agent) in (0..count).zip(self.agents.iter().cycle()) {
            let ports = Ports::free()?;
            let folder = programs.services().join(format!("{name}-{number}"));
            let arguments = arguments(&folder);
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let service = service::start(
                &programs.server,
                &folder,
                &ports,
                agent,
                interval,
                &arguments,
            )?;
            self.services.push(service);
            addresses.push(ports.url(Port::Application));
        }
        Ok(addresses)
    }

    /// Restarts the gateways with another value of a variable.
    pub fn set_gateways(&mut self, variable: &'static str, value: &str) -> Result<(), Error> {
        self.settled()?;
        tiers::restart_with(&mut self.gateways, variable, value)
    }

    /// Returns the pages to look at, and what they show.
    pub fn pages(&self) -> [(&'static str, String); 2] {
        [
            (
                "traces, Jaeger",
                Service::Jaeger.page(self.storage.readers[0].ports()),
            ),
            ("metrics, Thanos", self.thanos.store.url.clone()),
        ]
    }

    /// Returns a program that has ended by itself, and how.
    pub fn ended(&mut self) -> Result<Option<String>, Error> {
        let Storage {
            servers,
            writers,
            readers,
            ..
        } = &mut self.storage;
        let nodes = self.services.iter_mut().chain(&mut self.agents);
        let nodes = nodes
            .chain(&mut self.gateways)
            .chain(writers)
            .chain(readers);
        let nodes = nodes
            .chain(&mut self.thanos.receivers)
            .chain([&mut self.thanos.querier]);
        let processes = nodes.map(|node| &mut node.process);
        let processes = processes.chain(servers.iter_mut().map(|server| &mut server.process));
        for process in processes.chain([&mut self.broker.process]) {
            if let Some(status) = process.ended()? {
                return Ok(Some(format!("{} ended with {status}", process.name())));
            }
        }
        Ok(None)
    }

    /// Waits until nothing is on its way to Jaeger.
    pub(super) fn settled(&self) -> Result<(), Error> {
        kafka::settled(&self.agents, &self.gateways, &self.broker)
    }
}

/// Returns the arguments of a service that sends requests to itself.
pub fn traffic(_: &Path) -> Vec<String> {
    vec!["--traffic".to_owned()]
}

const REMOTE_WRITE: &str = "collector/overlays/remote-write.yaml";
const GATEWAY_LABEL: &str = "collector/overlays/remote-write-gateway.yaml";
