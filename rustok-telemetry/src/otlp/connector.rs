//! Connections to one endpoint, of both protocols: with TLS or in clear text, as the endpoint says, and never otherwise.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tower_service::Service;

use super::tls::Tls;
use super::{
    error_reporting::{ErrorReportingStream, OpenConnection},
    proxy::Proxy,
};
use crate::delivery::LastFailure;

/// A connection, encrypted or not.
pub(crate) type BoxedStream = Pin<Box<dyn Stream>>;

/// What a connection reads and writes.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

/// Connects to the one endpoint that it is for, whatever it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) host: String,
    pub(super) port: u16,
    /// `None`: in clear text.
    pub(super) tls: Option<Tls>,
    /// `None`: straight there.
    pub(super) proxy: Option<Proxy>,
    pub(super) timeout: Duration,
    pub(super) failure: LastFailure,
    /// The connection that was made last.
    pub(super) open: OpenConnection,
}

impl Connector {
    async fn connect(self) -> io::Result<TokioIo<ErrorReportingStream>> {
        let connecting = async {
            // An IPv6 address is in brackets in a URL.
            let host = self.host.trim_matches(['[', ']']);
            let stream = match &self.proxy {
                Some(proxy) => proxy.connect().await?,
                None => TcpStream::connect((host, self.port)).await?,
            };
            stream.set_nodelay(true)?;
            let secured: BoxedStream = match &self.tls {
                Some(tls) => tls.connect(stream).await?,
                None => Box::pin(stream),
            };
            Ok(secured)
        };
        let connected = match tokio::time::timeout(self.timeout, connecting).await {
            Ok(connected) => connected,
            Err(elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, elapsed)),
        };
        let failure = self.failure;
        match connected {
            Ok(stream) => Ok(TokioIo::new(ErrorReportingStream::new(
                stream, failure, &self.open,
            ))),
            Err(error) => {
                failure.note(&error);
                Err(error)
            }
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<ErrorReportingStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<ErrorReportingStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}
