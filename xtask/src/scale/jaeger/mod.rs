//! Several Jaegers on one store, with the committed configurations: two write, two read.
//!
//! Each of two Collectors has the queue on disk of a gateway, and exports to a Jaeger of its own. The spans of a trace
//! come through both, so each query finds what two Jaegers wrote.

mod cassandra;
mod cql;
pub mod kills;
mod opensearch;
pub mod reads;
mod server;

use std::path::Path;
use std::time::Duration;

use super::Error;
use super::node::Node;
use super::tiers::Programs;
use super::traces::Trace;
use crate::stack::{Port, Service};
use server::Server;

/// A store for traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Three nodes, with three replicas.
    Cassandra,
    /// One node.
    OpenSearch,
}

impl Store {
    fn name(self) -> &'static str {
        match self {
            Self::Cassandra => "cassandra",
            Self::OpenSearch => "opensearch",
        }
    }
}

/// The running programs, which are killed when they are dropped.
#[derive(Debug)]
pub struct Jaegers {
    /// The store.
    pub store: Store,
    /// Its servers.
    pub servers: Vec<Server>,
    /// The time until the servers were ready.
    pub servers_ready: Duration,
    /// The Collectors, with queues on disk.
    pub collectors: [Node; 2],
    /// Jaegers that write: one for each Collector.
    pub writers: [Node; 2],
    /// Jaegers that read.
    pub readers: [Node; 2],
}

impl Jaegers {
    /// Starts them, with an empty store.
    pub fn start(programs: &Programs, store: Store) -> Result<Self, Error> {
        let folder = &programs.folder.join(store.name());
        super::tiers::clear(folder)?;
        let (servers, servers_ready) = match store {
            Store::Cassandra => cassandra::start(folder)?,
            Store::OpenSearch => opensearch::start(folder)?,
        };
        let variables = match store {
            Store::Cassandra => cassandra::variables(&servers),
            Store::OpenSearch => opensearch::variables(&servers),
        };
        let jaeger = |role: &str, number: u8| {
            let backend = format!("jaeger/backends/{}.yaml", store.name());
            let role_file = format!("jaeger/{role}.yaml");
            let files = ["jaeger/config.yaml", &backend, &role_file];
            let folder = folder.join(format!("jaeger-{role}-{number}"));
            let mut node = Node::new(Service::Jaeger, &programs.jaeger, &files, &folder)?;
            for (name, value) in &variables {
                node.set(name, value);
            }
            node.start()?;
            Ok::<_, Error>(node)
        };
        // The first one creates the schema.
        let writers = [jaeger("collector", 0)?, jaeger("collector", 1)?];
        let readers = [jaeger("query", 0)?, jaeger("query", 1)?];
        let collector = |number: u8, writer: &Node| {
            let files = ["collector/config.yaml"];
            let folder: &Path = &folder.join(format!("collector-{number}"));
            let mut node = Node::new(Service::Collector, &programs.collector, &files, folder)?;
            let address = writer.ports().address(Port::JaegerOtlpGrpc);
            node.set("JAEGER_OTLP_ENDPOINT", address);
            // Three servers on one machine can be slow.
            node.set("JAEGER_OTLP_TIMEOUT", "120s");
            node.start()?;
            Ok::<_, Error>(node)
        };
        let collectors = [collector(0, &writers[0])?, collector(1, &writers[1])?];
        Ok(Self {
            store,
            servers,
            servers_ready,
            collectors,
            writers,
            readers,
        })
    }

    /// Kills everything, and starts it again with its data. Returns the time until the servers of the store were ready.
    pub fn restart(&mut self) -> Result<Duration, Error> {
        let nodes = self.collectors.iter_mut().chain(&mut self.writers);
        nodes.chain(&mut self.readers).for_each(Node::kill);
        self.servers.iter_mut().for_each(Server::kill);
        let mut time = Duration::ZERO;
        for server in &mut self.servers {
            time += server.start()?;
        }
        let nodes = self.writers.iter_mut().chain(&mut self.readers);
        for node in nodes.chain(&mut self.collectors) {
            node.start()?;
        }
        Ok(time)
    }

    /// Returns the number of spans in the store, as the store counts them.
    pub fn spans(&self) -> Result<u64, Error> {
        match self.store {
            Store::Cassandra => cassandra::spans(&self.servers),
            Store::OpenSearch => opensearch::spans(&self.servers),
        }
    }

    /// Sends traces: the spans of each service to its Collector.
    pub fn send(&self, traces: &[Trace]) -> Result<(), Error> {
        super::traces::send(traces, &self.receivers())
    }

    /// Returns the memory of every program in MiB.
    pub fn memory(&self) -> Result<Vec<(&'static str, u64)>, Error> {
        let mut memory = Vec::new();
        for server in &self.servers {
            memory.push(("server of the store", server.resident()? >> 20));
        }
        for (name, nodes) in [
            ("Jaeger that writes", &self.writers),
            ("Jaeger that reads", &self.readers),
            ("Collector", &self.collectors),
        ] {
            for node in nodes {
                memory.push((name, node.resident()? >> 20));
            }
        }
        Ok(memory)
    }

    fn receivers(&self) -> [String; 2] {
        self.collectors.each_ref().map(super::tiers::receiver)
    }
}
