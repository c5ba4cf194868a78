//! Proxies of `https://` endpoints.

use std::io;

use http::Uri;
use hyper_util::client::{
    legacy::connect::{HttpConnector, proxy::Tunnel},
    proxy::matcher::Matcher,
};
use tokio::net::TcpStream;
use tower_service::Service;

/// An HTTP proxy that tunnels the encrypted connection (`CONNECT`).
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    tunnel: Tunnel<HttpConnector>,
    endpoint: Uri,
}

impl Proxy {
    /// Returns the proxy that `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` set for `https://host:port`. Connections in clear
    /// text, such as to a Collector on the same host, use none.
    pub(super) fn from_environment(host: &str, port: u16) -> Option<Self> {
        let endpoint: Uri = format!("https://{host}:{port}").parse().ok()?;
        let intercept = Matcher::from_env().intercept(&endpoint)?;
        let mut tunnel = Tunnel::new(intercept.uri().clone(), HttpConnector::new());
        if let Some(authorization) = intercept.basic_auth() {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        Some(Self { tunnel, endpoint })
    }

    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let connected = self.tunnel.clone().call(self.endpoint.clone()).await;
        connected
            .map(hyper_util::rt::TokioIo::into_inner)
            .map_err(|error| io::Error::other(ProxyError(error.into())))
    }
}

/// The error of a connection to or through the proxy.
#[derive(Debug, thiserror::Error)]
#[error("the proxy of HTTPS_PROXY or ALL_PROXY")]
struct ProxyError(#[source] Box<dyn std::error::Error + Send + Sync>);
