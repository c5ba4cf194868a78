//! The first hop of a signal: its endpoint, or the proxy in front of it.

use std::{
    fmt,
    io::ErrorKind,
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

use rustok_telemetry::config::{OtlpConfig, Protocol, Source};
use url::Url;

use crate::{
    proxy::{self, Proxy},
    step::{Step, StepResult},
};

/// Longest time to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What an exporter connects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstHop {
    pub address: Address,
    /// `None`: the address is that of the endpoint.
    pub proxy: Option<Proxy>,
}

impl FirstHop {
    /// Returns the first hop to the endpoint of one signal.
    pub fn of(otlp: &OtlpConfig) -> Option<Self> {
        let url = Url::parse(&otlp.url()).ok()?;
        let proxy = Proxy::of(&url);
        Some(Self {
            address: Address::of(proxy.as_ref().map_or(&url, |proxy| &proxy.url))?,
            proxy,
        })
    }

    /// Resolves its host and connects to it. The last step tells whether it can be reached.
    pub fn reach(&self, otlp: &OtlpConfig) -> Vec<Step> {
        let host = self.address.host.as_str();
        let resolved = Step::time("resolve", host, || self.resolve(otlp));
        if !resolved.is_ok() {
            return vec![resolved];
        }
        let connected = Step::time("connect", self.to_string(), || self.connect(otlp));
        vec![resolved, connected]
    }

    fn resolve(&self, otlp: &OtlpConfig) -> StepResult {
        let seen = match self.address.resolve() {
            Ok(addresses) if addresses.is_empty() => "no addresses".to_owned(),
            Ok(addresses) => {
                let mut addresses: Vec<_> = addresses
                    .iter()
                    .map(|address| address.ip().to_string())
                    .collect();
                addresses.dedup();
                return StepResult::Ok(addresses.join(", "));
            }
            Err(error) => error.to_string(),
        };
        let remedy = format!("check the host in {}", self.variable(otlp));
        StepResult::failed(seen, with_hint("host not found".to_owned(), otlp), remedy)
    }

    fn connect(&self, otlp: &OtlpConfig) -> StepResult {
        if let Some(proxy) = &self.proxy
            && proxy.url.scheme() != "http"
        {
            return StepResult::failed(
                format!("the proxy is {}", proxy.url),
                "the exporters support http:// proxies only",
                format!("set {} to an http:// proxy", proxy.variable),
            );
        }
        match self.address.connect() {
            Ok(_) => StepResult::Ok("connected".to_owned()),
            Err(error) => {
                let cause = with_hint(self.cause(error.kind()), otlp);
                StepResult::failed(error.to_string(), cause, self.remedy(otlp))
            }
        }
    }

    fn cause(&self, error: ErrorKind) -> String {
        let what = self.what();
        match error {
            ErrorKind::ConnectionRefused => format!(
                "nothing listens on this port: {what} is not running, or has another address"
            ),
            ErrorKind::TimedOut => {
                "no answer: a firewall drops the packets, or no host has this address".to_owned()
            }
            _ => "the address is not reachable from this host".to_owned(),
        }
    }

    fn remedy(&self, otlp: &OtlpConfig) -> String {
        let (what, variable) = (self.what(), self.variable(otlp));
        if self.proxy.is_some() {
            let endpoint = Url::parse(&otlp.url()).ok();
            let host = endpoint.as_ref().and_then(Url::host_str);
            let host = host.unwrap_or("the endpoint");
            return format!("start {what}, correct {variable}, or add {host} to NO_PROXY");
        }
        match self
            .address
            .other_port()
            .filter(|other| other.connect().is_ok())
        {
            Some(other) => {
                let protocol = match other.port {
                    4317 => Protocol::Grpc,
                    _ => Protocol::HttpProtobuf,
                };
                format!(
                    "{other} accepts connections: if that is {what}, set {} and the port to {}",
                    assignment(otlp, "PROTOCOL", protocol),
                    other.port
                )
            }
            None => format!("start {what}, or correct {variable}"),
        }
    }

    fn what(&self) -> &'static str {
        match self.proxy {
            Some(_) => "the proxy",
            None => "the Collector",
        }
    }

    /// The variable that gives its address.
    fn variable(&self, otlp: &OtlpConfig) -> String {
        match &self.proxy {
            Some(proxy) => proxy.variable.to_owned(),
            None => variable(otlp, "ENDPOINT"),
        }
    }
}

/// Adds to the cause that a proxy is set which the exporters do not use.
fn with_hint(cause: String, otlp: &OtlpConfig) -> String {
    match proxy::without_effect().filter(|_| otlp.url().starts_with("http:")) {
        Some(variable) => format!(
            "{cause}. {variable} has no effect: the exporters connect directly to http:// endpoints"
        ),
        None => cause,
    }
}

impl fmt::Display for FirstHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proxy {
            Some(proxy) => write!(f, "{} (the proxy in {})", self.address, proxy.variable),
            None => self.address.fmt(f),
        }
    }
}

/// A host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    /// Returns the address of a URL. Of those that occur here, only proxies of SOCKS have no default port in the URL
    /// standard.
    pub fn of(url: &Url) -> Option<Self> {
        Some(Self {
            host: url.host_str()?.trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default().unwrap_or(1080),
        })
    }

    fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }

    /// Connects to the first network address that accepts a connection.
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

    /// The other one of the two standard ports of OTLP.
    fn other_port(&self) -> Option<Self> {
        let port = match self.port {
            4317 => 4318,
            4318 => 4317,
            _ => return None,
        };
        let host = self.host.clone();
        Some(Self { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Returns the variable for a setting, with the scope of the one that gave the endpoint: one signal, or all. Without
/// variables it is the key in the configuration file.
pub fn variable(otlp: &OtlpConfig, setting: &str) -> String {
    match otlp.endpoint.source {
        Source::Environment(name) => name.replace("ENDPOINT", setting),
        _ if is_from_file(otlp) => {
            let key = setting.to_ascii_lowercase();
            format!("the {key} in the configuration file")
        }
        _ => format!("OTEL_EXPORTER_OTLP_{setting}"),
    }
}

/// Returns `variable=value`.
pub fn assignment(otlp: &OtlpConfig, setting: &str, value: Protocol) -> String {
    let between = match is_from_file(otlp) {
        true => " to ",
        false => "=",
    };
    format!("{}{between}{value}", variable(otlp, setting))
}

/// The file gives the protocol of every exporter, and perhaps its endpoint.
fn is_from_file(otlp: &OtlpConfig) -> bool {
    matches!(otlp.protocol.source, Source::File { .. })
}
