//! Where a signal is sent, and whether it can be reached: resolve, connect.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

use rustok_telemetry::config::{OtlpConfig, Protocol, Source};
use url::Url;

use crate::step::{Step, StepResult};

/// How long to wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A host and port that signals are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    /// The address of what one signal is sent to.
    pub fn of(otlp: &OtlpConfig) -> Option<Self> {
        Self::of_url(&Url::parse(&otlp.url()).ok()?)
    }

    pub fn of_url(url: &Url) -> Option<Self> {
        Some(Self {
            host: url.host_str()?.trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default()?,
        })
    }

    /// Its network addresses.
    pub fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }

    /// A connection to the first network address that takes one.
    pub fn connect(&self) -> std::io::Result<TcpStream> {
        let mut last = std::io::Error::from(ErrorKind::AddrNotAvailable);
        for address in self.resolve()? {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// The steps up to a connection; the last one tells whether there is one.
pub fn reach(address: &Address, otlp: &OtlpConfig) -> Vec<Step> {
    let mut resolved = Step::time("resolve", address.host.as_str(), || resolve(address, otlp));
    if !resolved.is_ok() {
        forgive_if_proxied(&mut resolved, otlp);
        return vec![resolved];
    }
    let mut connected = Step::time("connect", address.to_string(), || connect(address, otlp));
    forgive_if_proxied(&mut connected, otlp);
    vec![resolved, connected]
}

/// Where HTTP goes by a proxy, nothing has to be reachable directly: sending will tell.
fn forgive_if_proxied(step: &mut Step, otlp: &OtlpConfig) {
    let own = match otlp.url().starts_with("https:") {
        true => ["HTTPS_PROXY", "https_proxy"],
        false => ["HTTP_PROXY", "http_proxy"],
    };
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut variables = own.into_iter().chain(["ALL_PROXY", "all_proxy"]);
    if let Some(variable) = variables.find(is_set)
        && *otlp.protocol == Protocol::HttpProtobuf
        && step.has_failed()
    {
        let why = format!("cannot be reached directly; a proxy is set in {variable}");
        step.result = StepResult::Skipped(why);
    }
}

fn resolve(address: &Address, otlp: &OtlpConfig) -> StepResult {
    let found = address.resolve().map(|addresses| {
        let mut addresses: Vec<_> = addresses
            .iter()
            .map(|address| address.ip().to_string())
            .collect();
        addresses.dedup();
        addresses.join(", ")
    });
    let wrong = |seen: String| {
        let remedy = format!("check the host in {}", variable(otlp, "ENDPOINT"));
        StepResult::failed(seen, "nobody knows a host of that name here", remedy)
    };
    match found {
        Ok(addresses) if addresses.is_empty() => wrong("no addresses".to_owned()),
        Ok(addresses) => StepResult::Ok(addresses),
        Err(error) => wrong(error.to_string()),
    }
}

fn connect(address: &Address, otlp: &OtlpConfig) -> StepResult {
    let error = match address.connect() {
        Ok(_) => return StepResult::Ok("something listens".to_owned()),
        Err(error) => error,
    };
    let cause = match error.kind() {
        ErrorKind::ConnectionRefused => {
            "nothing listens there: the Collector is not running, or is elsewhere"
        }
        ErrorKind::TimedOut => "nothing answers: a firewall, or an address that nobody has",
        _ => "the address cannot be reached from here",
    };
    let mut remedy = format!(
        "start the Collector, or set {} to where it is",
        variable(otlp, "ENDPOINT")
    );
    if let Some(other) = other_port(address).filter(|other| other.connect().is_ok()) {
        let protocol = match other.port {
            4317 => Protocol::Grpc,
            _ => Protocol::HttpProtobuf,
        };
        remedy = format!(
            "something listens on {other}: set {}={protocol} and the port to {}, if that is it",
            variable(otlp, "PROTOCOL"),
            other.port
        );
    }
    StepResult::failed(error.to_string(), cause, remedy)
}

/// The other one of the two usual ports.
fn other_port(address: &Address) -> Option<Address> {
    let port = match address.port {
        4317 => 4318,
        4318 => 4317,
        _ => return None,
    };
    let host = address.host.clone();
    Some(Address { host, port })
}

/// The variable of the same reach as the one that gave the endpoint: of one signal, or of all.
pub fn variable(otlp: &OtlpConfig, setting: &str) -> String {
    match otlp.endpoint.source {
        Source::Environment(name) => name.replace("ENDPOINT", setting),
        _ => format!("OTEL_EXPORTER_OTLP_{setting}"),
    }
}
