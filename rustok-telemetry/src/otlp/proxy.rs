//! Proxies on the way to `https://` endpoints.

use std::io;

use http::Uri;
use hyper_util::client::{
    legacy::connect::{HttpConnector, proxy::Tunnel},
    proxy::matcher::Matcher,
};
use tokio::net::TcpStream;
use tower_service::Service;

/// A proxy that is asked to pass an encrypted connection on (`CONNECT`), so that it reads nothing.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    tunnel: Tunnel<HttpConnector>,
    destination: Uri,
}

impl Proxy {
    /// The one that `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` give for `https://host:port`. What goes out in clear text,
    /// as to a Collector nearby, goes straight there.
    pub(super) fn of_the_environment(host: &str, port: u16) -> Option<Self> {
        let destination: Uri = format!("https://{host}:{port}").parse().ok()?;
        let intercept = Matcher::from_env().intercept(&destination)?;
        let tunnel = Tunnel::new(intercept.uri().clone(), HttpConnector::new());
        let tunnel = match intercept.basic_auth() {
            Some(authorization) => tunnel.with_auth(authorization.clone()),
            None => tunnel,
        };
        Some(Self {
            tunnel,
            destination,
        })
    }

    /// A connection to the destination, through the proxy.
    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let connecting = self.tunnel.clone().call(self.destination.clone());
        let connected = connecting.await;
        connected
            .map(hyper_util::rt::TokioIo::into_inner)
            .map_err(|error| io::Error::other(Refused(error.into())))
    }
}

/// Says that it was the proxy.
#[derive(Debug, thiserror::Error)]
#[error("the proxy of HTTPS_PROXY or ALL_PROXY")]
struct Refused(#[source] Box<dyn std::error::Error + Send + Sync>);
