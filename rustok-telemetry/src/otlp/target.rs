//! The export target of one exporter: endpoint, connector, headers and timeout, for both protocols.

use std::{error::Error, time::Duration};

use http::{HeaderMap, HeaderValue, header::USER_AGENT};
use tokio::runtime::Handle;
use url::Url;

use super::{connector::Connector, error_reporting::OpenConnection, proxy::Proxy, tls::Tls};
use crate::{
    InitError,
    config::{OtlpConfig, Protocol},
    delivery::LastFailure,
    otlp::ConnectionRuntime,
};

/// The timeout where neither the exporter nor the processor has one.
const NO_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The user agent, in the format of the OTLP specification.
const USER_AGENT_VALUE: HeaderValue = HeaderValue::from_static(concat!(
    "OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION"),
    " (rustok-telemetry)"
));

pub(super) struct ExportTarget<'config> {
    pub(super) config: &'config OtlpConfig,
    pub(super) url: Url,
    pub(super) connector: Connector,
    pub(super) timeout: Duration,
    pub(super) failure: LastFailure,
    pub(super) runtime: Handle,
}

impl<'config> ExportTarget<'config> {
    /// `limit` bounds a request in addition to the exporter's own timeout.
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
        let alpn: &[u8] = match config.protocol.value {
            Protocol::Grpc => b"h2",
            Protocol::HttpProtobuf => b"http/1.1",
        };
        let (tls, proxy) = match url.scheme() {
            "https" => (
                Some(Tls::new(config, host, alpn)?),
                Proxy::from_environment(host, port),
            ),
            _ => (None, None),
        };
        let timeouts = [config.timeout.value, limit].into_iter().flatten();
        let timeout = timeouts.fold(NO_LIMIT, Duration::min);
        let failure = LastFailure::default();
        let connector = Connector {
            host: host.to_owned(),
            port,
            tls,
            proxy,
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

    /// The user agent and the configured headers, which may replace it.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::from_iter([(USER_AGENT, USER_AGENT_VALUE)]);
        for (name, value) in &self.config.headers.value.to_header_map() {
            headers.insert(name.clone(), value.clone());
        }
        headers
    }

    pub(super) fn failed(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> InitError {
        let url = self.config.shown_url();
        InitError::pipeline(format!("the OTLP exporter to {url}"), error)
    }
}
