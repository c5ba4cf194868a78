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
use super::tiers::{Programs, clear};
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

/// A store with the Jaegers that write to it and read from it, which are killed when they are dropped.
#[derive(Debug)]
pub struct Storage {
    /// The kind of store.
    pub store: Store,
    /// Its servers.
    pub servers: Vec<Server>,
    /// The time until the servers were ready.
    pub servers_ready: Duration,
    /// Jaegers that write.
    pub writers: [Node; 2],
    /// Jaegers that read.
    pub readers: [Node; 2],
}

impl Storage {
    /// Starts them in a folder, with an empty store.
    pub fn start(jaeger: &Path, store: Store, folder: &Path) -> Result<Self, Error> {
        clear(folder)?;
        let (servers, servers_ready) = match store {
            Store::Cassandra => cassandra::start(folder)?,
            Store::OpenSearch => opensearch::start(folder)?,
        };
        let variables = match store {
            Store::Cassandra => cassandra::variables(&servers),
            Store::OpenSearch => opensearch::variables(&servers),
        };
        let start = |role: &str, number: u8| {
            let backend = format!("jaeger/backends/{}.yaml", store.name());
            let role_file = format!("jaeger/{role}.yaml");
            let files = ["jaeger/config.yaml", &backend, &role_file];
            let folder = folder.join(format!("jaeger-{role}-{number}"));
            let mut node = Node::new(Service::Jaeger, jaeger, &files, &folder)?;
            for (name, value) in &variables {
                node.set(name, value);
            }
            node.start()?;
            Ok::<_, Error>(node)
        };
        // The first one creates the schema.
        let writers = [start("collector", 0)?, start("collector", 1)?];
        let readers = [start("query", 0)?, start("query", 1)?];
        Ok(Self {
            store,
            servers,
            servers_ready,
            writers,
            readers,
        })
    }

    /// Returns the number of spans in the store, as the store counts them.
    pub fn spans(&self) -> Result<u64, Error> {
        match self.store {
            Store::Cassandra => cassandra::spans(&self.servers),
            Store::OpenSearch => opensearch::spans(&self.servers),
        }
    }

    /// Returns the address of each writing Jaeger for spans.
    pub fn write_addresses(&self) -> [String; 2] {
        let writers = self.writers.each_ref();
        writers.map(|writer| writer.ports().address(Port::JaegerOtlpGrpc))
    }

    /// Returns the address of a reading Jaeger for queries.
    pub fn read_url(&self, reader: usize) -> String {
        self.readers[reader].ports().url(Port::JaegerQuery)
    }
}

/// The running programs, which are killed when they are dropped.
#[derive(Debug)]
pub struct Jaegers {
    /// The Collectors, with queues on disk.
    pub collectors: [Node; 2],
    /// Their store: one writing Jaeger for each Collector.
    pub storage: Storage,
}

impl Jaegers {
    /// Starts them, with an empty store.
    pub fn start(programs: &Programs, store: Store) -> Result<Self, Error> {
        let folder = &programs.folder.join(store.name());
        let storage = Storage::start(&programs.jaeger, store, folder)?;
        let [first, second] = storage.write_addresses();
        let collector = |number: u8, address: String| {
            let files = ["collector/config.yaml"];
            let folder = folder.join(format!("collector-{number}"));
            let mut node = Node::new(Service::Collector, &programs.collector, &files, &folder)?;
            node.set("JAEGER_OTLP_ENDPOINT", address);
            node.set("JAEGER_OTLP_TIMEOUT", TIMEOUT);
            node.start()?;
            Ok::<_, Error>(node)
        };
        Ok(Self {
            collectors: [collector(0, first)?, collector(1, second)?],
            storage,
        })
    }

    /// Kills everything, and starts it again with its data. Returns the time until the servers of the store were ready.
    pub fn restart(&mut self) -> Result<Duration, Error> {
        let Storage {
            servers,
            writers,
            readers,
            ..
        } = &mut self.storage;
        let nodes = self.collectors.iter_mut().chain(writers).chain(readers);
        let mut nodes: Vec<_> = nodes.collect();
        nodes.iter_mut().for_each(|node| node.kill());
        servers.iter_mut().for_each(Server::kill);
        let mut time = Duration::ZERO;
        for server in servers {
            time += server.start()?;
        }
        // The Collectors last.
        for node in nodes.into_iter().rev() {
            node.start()?;
        }
        Ok(time)
    }

    /// Sends traces: the spans of each service to its Collector.
    pub fn send(&self, traces: &[Trace]) -> Result<(), Error> {
        super::traces::send(traces, &self.receivers())
    }

    /// Returns the memory of every program in MiB.
    pub fn memory(&self) -> Result<Vec<(&'static str, u64)>, Error> {
        let mut memory = Vec::new();
        for server in &self.storage.servers {
            memory.push(("server of the store", server.resident()? >> 20));
        }
        for (name, nodes) in [
            ("Jaeger that writes", &self.storage.writers),
            ("Jaeger that reads", &self.storage.readers),
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

/// `JAEGER_OTLP_TIMEOUT` of what exports to such a store: three servers on one machine can be slow.
pub(super) const TIMEOUT: &str = "120s";
