//! Where one exporter sends to, and how: all that both protocols need.

use std::{error::Error, time::Duration};

use http::{HeaderMap, HeaderValue};
use tokio::runtime::Handle;
use url::Url;

use super::tls::Tls;
use super::{connector::Connector, error_reporting::OpenConnection, proxy::Proxy};
use crate::{
    InitError,
    config::{OtlpConfig, Protocol},
    delivery::LastFailure,
    otlp::ConnectionRuntime,
};

/// What no limit becomes.
const NO_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// Where one exporter sends to, and how.
#[derive(Debug)]
pub(super) struct Destination<'config> {
    pub(super) config: &'config OtlpConfig,
    pub(super) url: Url,
    pub(super) connector: Connector,
    pub(super) timeout: Duration,
    pub(super) failure: LastFailure,
    pub(super) runtime: Handle,
}

impl<'config> Destination<'config> {
    /// `limit` bounds an export besides the exporter's own timeout.
    pub(super) fn new(
        config: &'config OtlpConfig,
        limit: Option<Duration>,
        runtime: &mut ConnectionRuntime,
    ) -> Result<Self, InitError> {
        let failed =
            |why: &str| InitError::pipeline(format!("OTLP to {}", config.shown_url()), why);
        let url = Url::parse(&config.url()).map_err(|error| failed(&error.to_string()))?;
        let host = url
            .host_str()
            .ok_or_else(|| failed("the host is missing"))?;
        let port = url
            .port_or_known_default()
            .ok_or_else(|| failed("the port is missing"))?;
        let protocol: &[u8] = match config.protocol.value {
            Protocol::Grpc => b"h2",
            Protocol::HttpProtobuf => b"http/1.1",
        };
        let tls = match url.scheme() {
            "https" => Some(Tls::new(config, host, protocol)?),
            _ => None,
        };
        let timeout = timeout(config, limit);
        let failure = LastFailure::default();
        let connector = Connector {
            host: host.to_owned(),
            port,
            proxy: tls
                .as_ref()
                .and_then(|_| Proxy::of_the_environment(host, port)),
            tls,
            timeout,
            failure: failure.clone(),
            open: OpenConnection::default(),
        };
        Ok(Self {
            config,
            url,
            connector,
            timeout,
            failure,
            runtime: runtime.handle()?,
        })
    }

    /// Adds the configured headers.
    pub(super) fn add_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.config.headers.value.to_header_map() {
            headers.insert(name.clone(), value.clone());
        }
    }

    pub(super) fn failed(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> InitError {
        let url = self.config.shown_url();
        InitError::pipeline(format!("the OTLP exporter to {url}"), error)
    }
}

/// How the exporters name themselves, as the specification of OTLP wants it.
pub(super) const USER_AGENT_VALUE: HeaderValue = HeaderValue::from_static(concat!(
    "OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION"),
    " (rustok-telemetry)"
));

fn timeout(config: &OtlpConfig, limit: Option<Duration>) -> Duration {
    [config.timeout.value, limit]
        .into_iter()
        .flatten()
        .fold(NO_LIMIT, Duration::min)
}
