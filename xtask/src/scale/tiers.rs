//! Two agents, two gateways and Jaeger, with the committed configurations.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Error;
use super::kept::{Spans, in_files, in_jaeger, in_jaeger_since};
use super::load::Sent;
use super::node::Node;
use super::traces::Trace;
use crate::stack::{Port, Service};

/// The time from a trace's first span to the decision.
pub const WAIT: Duration = Duration::from_secs(4);

/// A gateway also writes what it keeps to a file: the rotation makes the exporter write at once.
const COUNT: &str = "
exporters:
  file/kept: {path: '${env:SCALE_KEPT_FILE}', rotation: {max_megabytes: 1000000}}
service: {pipelines: {traces: {exporters: [otlp_grpc/jaeger, file/kept]}}}
";

/// The programs of a run, and the folder for its files.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The Collector.
    pub collector: PathBuf,
    /// Jaeger.
    pub jaeger: PathBuf,
    /// The folder for files, which a run replaces.
    pub folder: PathBuf,
}

/// What a run adds to the committed configurations.
#[derive(Debug, Clone, Default)]
pub struct Additions<'a> {
    /// Further files of the agents, relative to the root of the workspace.
    pub agents: &'a [&'a str],
    /// Further files of the gateways.
    pub gateways: &'a [&'a str],
    /// Variables of all programs.
    pub variables: Vec<(&'static str, String)>,
}

impl Additions<'_> {
    fn set_variables(&self, node: &mut Node) {
        for (name, value) in &self.variables {
            node.set(name, value);
        }
    }
}

/// The running tiers, which are killed when they are dropped.
#[derive(Debug)]
pub struct Tiers {
    /// The first tier. The spans of a trace come to both.
    pub agents: [Node; 2],
    /// The second tier.
    pub gateways: [Node; 2],
    /// The store.
    pub jaeger: Node,
}

impl Tiers {
    /// Starts them with variables of the gateways.
    pub fn start(programs: &Programs, variables: &[(&'static str, &str)]) -> Result<Self, Error> {
        let variables = variables.iter();
        let variables = variables.map(|&(name, value)| (name, value.to_owned()));
        let additions = Additions {
            variables: variables.collect(),
            ..Additions::default()
        };
        Self::start_with(programs, &additions)
    }

    /// Starts them with additions.
    pub fn start_with(programs: &Programs, additions: &Additions<'_>) -> Result<Self, Error> {
        clear(&programs.folder)?;
        let memory = ["jaeger/config.yaml", "jaeger/backends/memory.yaml"];
        let folder = programs.folder.join("jaeger");
        let mut jaeger = Node::new(Service::Jaeger, &programs.jaeger, &memory, &folder)?;
        additions.set_variables(&mut jaeger);
        jaeger.start()?;
        let count = programs.folder.join("count.yaml");
        fs::write(&count, COUNT)?;
        let count = count.to_string_lossy();
        let files = [additions.gateways, &[&count]].concat();
        let additions = Additions {
            gateways: &files,
            ..additions.clone()
        };
        let address = jaeger.ports().address(Port::JaegerOtlpGrpc);
        let gateways = gateways(programs, [address.clone(), address], &additions)?;
        let agents = agents(programs, &gateways, &additions)?;
        Ok(Self {
            agents,
            gateways,
            jaeger,
        })
    }

    /// Sends traces: the spans of each service to its agent.
    pub fn send(&self, traces: &[Trace]) -> Result<(), Error> {
        super::traces::send(traces, &self.receivers())
    }

    /// Returns the URLs of the agents for spans.
    pub(super) fn receivers(&self) -> [String; 2] {
        self.agents.each_ref().map(receiver)
    }

    /// Returns the spans that each gateway kept, in all its starts.
    pub fn kept(&self) -> Result<[Spans; 2], Error> {
        let [first, second] = self.gateways.each_ref();
        Ok([
            in_files(first.kept_files())?,
            in_files(second.kept_files())?,
        ])
    }

    /// Returns the spans that are in Jaeger.
    pub fn stored(&self) -> Result<Spans, Error> {
        in_jaeger(&self.jaeger.ports().url(Port::JaegerQuery))
    }

    /// Returns the spans of traces that are in Jaeger, of which it has too many for one response. They began since a time.
    pub(super) fn stored_of(&self, sent: &[Sent], since: SystemTime) -> Result<Spans, Error> {
        let jaeger = self.jaeger.ports().url(Port::JaegerQuery);
        in_jaeger_since(&jaeger, since, sent.iter().map(|(trace, _)| *trace))
    }
}

/// Starts two gateways, which export to these addresses of Jaegers.
pub(super) fn gateways(
    programs: &Programs,
    jaegers: [String; 2],
    additions: &Additions<'_>,
) -> Result<[Node; 2], Error> {
    let files = ["collector/config.yaml", "collector/gateway.yaml"];
    let files = [&files, additions.gateways].concat();
    let gateway = |number: u8, jaeger: String| -> Result<Node, Error> {
        let name = format!("gateway-{number}");
        let folder = programs.folder.join(&name);
        let mut node = Node::new(Service::Collector, &programs.collector, &files, &folder)?;
        node.set("JAEGER_OTLP_ENDPOINT", jaeger);
        node.set("SAMPLING_WAIT", format!("{}s", WAIT.as_secs()));
        node.set("COLLECTOR_KAFKA_INSTANCE", name.clone());
        node.set("COLLECTOR_GATEWAY", name);
        additions.set_variables(&mut node);
        node.start()?;
        Ok(node)
    };
    let [first, second] = jaegers;
    Ok([gateway(0, first)?, gateway(1, second)?])
}

/// Starts two agents of these gateways.
pub(super) fn agents(
    programs: &Programs,
    gateways: &[Node; 2],
    additions: &Additions<'_>,
) -> Result<[Node; 2], Error> {
    let addresses = gateways.each_ref().map(address);
    let files = [&["collector/agent.yaml"], additions.agents].concat();
    let agent = |number: u8| -> Result<Node, Error> {
        let folder = programs.folder.join(format!("agent-{number}"));
        let mut node = Node::new(Service::Collector, &programs.collector, &files, &folder)?;
        node.set("COLLECTOR_GATEWAYS", format!("[{}]", addresses.join(", ")));
        additions.set_variables(&mut node);
        node.start()?;
        Ok(node)
    };
    Ok([agent(0)?, agent(1)?])
}

/// Restarts gateways with another value of a variable.
pub(super) fn restart_with(
    gateways: &mut [Node; 2],
    variable: &'static str,
    value: &str,
) -> Result<(), Error> {
    for gateway in gateways {
        gateway.kill();
        gateway.set(variable, value);
        gateway.start()?;
    }
    Ok(())
}

/// Returns the URL of an agent for spans.
pub(super) fn receiver(agent: &Node) -> String {
    format!("{}/v1/traces", agent.ports().url(Port::CollectorOtlpHttp))
}

/// Returns the address of a gateway for agents.
fn address(gateway: &Node) -> String {
    gateway.ports().address(Port::CollectorOtlpGrpc)
}

/// Makes an empty folder, in place of that of an earlier run.
pub(super) fn clear(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(fs::create_dir_all(folder)?),
    }
}
