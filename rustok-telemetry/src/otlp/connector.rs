//! Connections to one endpoint, of both protocols: with TLS or in clear text, as the endpoint says, and never otherwise.

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower_service::Service;

use crate::{delivery::LastFailure, tls::Tls};

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
    pub(super) timeout: Duration,
    pub(super) failure: LastFailure,
}

impl Connector {
    async fn connect(self) -> io::Result<TokioIo<Watched>> {
        let connecting = async {
            // An IPv6 address is in brackets in a URL.
            let host = self.host.trim_matches(['[', ']']);
            let stream = TcpStream::connect((host, self.port)).await?;
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
            Ok(stream) => Ok(TokioIo::new(Watched { stream, failure })),
            Err(error) => {
                failure.note(&error);
                Err(error)
            }
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Watched>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Watched>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}

/// A connection that tells why it broke. A server refuses a client's certificate only after the handshake, when the
/// client believes that it is connected.
pub(super) struct Watched {
    stream: BoxedStream,
    failure: LastFailure,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

impl Watched {
    fn watch<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &outcome {
            self.failure.note(error);
        }
        outcome
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = self.stream.as_mut().poll_read(context, buffer);
        self.watch(outcome)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.stream.as_mut().poll_write(context, bytes);
        self.watch(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.stream.as_mut().poll_flush(context);
        self.watch(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}

impl Connection for Watched {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
