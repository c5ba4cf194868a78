//! Connections to one endpoint, of both protocols: with TLS or in clear text, as the endpoint's scheme says.
//!
//! `hyper-rustls` does not fit: it takes the scheme from the requested URI, and tonic must be given an `http://` URI here
//! (see `grpc.rs`). The connector of this module takes no scheme from a request.

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

use super::{
    error_reporting::{ErrorReportingStream, OpenConnection},
    proxy::Proxy,
    tls::Tls,
};
use crate::delivery::LastFailure;

/// A connection, encrypted or not.
pub(crate) type BoxedStream = Pin<Box<dyn Stream>>;

/// The bounds of [`BoxedStream`].
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

/// Connects to its endpoint, whichever URI is requested.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) host: String,
    pub(super) port: u16,
    /// `None`: clear text.
    pub(super) tls: Option<Tls>,
    /// `None`: a direct connection.
    pub(super) proxy: Option<Proxy>,
    pub(super) timeout: Duration,
    pub(super) failure: LastFailure,
    pub(super) open: OpenConnection,
}

impl Connector {
    async fn connect(self) -> io::Result<TokioIo<ErrorReportingStream>> {
        let stream = tokio::time::timeout(self.timeout, self.stream())
            .await
            .unwrap_or_else(|elapsed| Err(io::Error::new(io::ErrorKind::TimedOut, elapsed)))
            .inspect_err(|error| self.failure.note(error))?;
        let stream = ErrorReportingStream::new(stream, self.failure, &self.open);
        Ok(TokioIo::new(stream))
    }

    async fn stream(&self) -> io::Result<BoxedStream> {
        // An IPv6 address is in brackets in a URL.
        let host = self.host.trim_matches(['[', ']']);
        let stream = match &self.proxy {
            Some(proxy) => proxy.connect().await?,
            None => TcpStream::connect((host, self.port)).await?,
        };
        stream.set_nodelay(true)?;
        match &self.tls {
            Some(tls) => tls.connect(stream).await,
            None => Ok(Box::pin(stream)),
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
