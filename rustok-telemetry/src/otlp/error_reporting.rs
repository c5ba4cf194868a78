//! A connection that notes why it broke, and that the exporter can close.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
};

use super::connector::BoxedStream;
use crate::delivery::LastFailure;

/// The last connection of an exporter.
///
/// A connection can be open and dead, because a proxy or a network device drops its packets. The exporter closes it after
/// a timeout, so that the next request opens a new one. HTTP/2 would keep it after a request without a response.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenConnection(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl OpenConnection {
    /// Closes the connection: reads and writes fail.
    pub(super) fn close(&self) {
        if let Some(close) = self.lock().take() {
            // Fails if the connection is closed already.
            let _ = close.send(());
        }
    }

    fn opened(&self) -> oneshot::Receiver<()> {
        let (close, closed) = oneshot::channel();
        *self.lock() = Some(close);
        closed
    }

    fn lock(&self) -> MutexGuard<'_, Option<oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that notes why it broke.
///
/// A server rejects a client's certificate only after the client's handshake: it sends an alert and closes. The client's
/// next write then fails with "broken pipe", while the alert can still be read. So a failed write reads the reason first.
pub(super) struct ErrorReportingStream {
    stream: BoxedStream,
    failure: LastFailure,
    /// The error of a failed write, until the reason has been read.
    broken: Option<io::Error>,
    closing: Closing,
}

/// Whether the exporter closes a connection.
enum Closing {
    Possible(oneshot::Receiver<()>),
    /// A later connection has replaced this one.
    Never,
    Closed,
}

impl ErrorReportingStream {
    pub(super) fn new(stream: BoxedStream, failure: LastFailure, open: &OpenConnection) -> Self {
        Self {
            stream,
            failure,
            broken: None,
            closing: Closing::Possible(open.opened()),
        }
    }

    /// Returns an error if the exporter closed the connection; else wakes the task when it does. The error is not noted:
    /// the request's timeout is the reason.
    fn check_open(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let Closing::Possible(closed) = &mut self.closing
            && let Poll::Ready(closed) = Pin::new(closed).poll(context)
        {
            self.closing = match closed {
                Ok(()) => Closing::Closed,
                Err(_) => Closing::Never,
            };
        }
        match self.closing {
            Closing::Closed => Err(io::ErrorKind::ConnectionAborted.into()),
            Closing::Possible(_) | Closing::Never => Ok(()),
        }
    }

    /// Writes with `write`. After an error, reads the reason that the server sent.
    fn writing<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(&mut BoxedStream, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.check_open(context)?;
        if self.broken.is_none() {
            match ready!(write(&mut self.stream, context)) {
                Ok(written) => return Poll::Ready(Ok(written)),
                Err(error) => self.broken = Some(error),
            }
        }
        let mut byte = [0; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        let reason = ready!(self.stream.as_mut().poll_read(context, &mut buffer));
        let broken = self.broken.take();
        let error = reason.err().or(broken);
        let error = error.unwrap_or_else(|| io::ErrorKind::BrokenPipe.into());
        Poll::Ready(Err(self.note(error)))
    }

    fn note(&self, error: io::Error) -> io::Error {
        self.failure.note(&error);
        error
    }
}

impl AsyncRead for ErrorReportingStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_open(context)?;
        let read = ready!(self.stream.as_mut().poll_read(context, buffer));
        Poll::Ready(read.map_err(|error| self.note(error)))
    }
}

impl AsyncWrite for ErrorReportingStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writing(context, |stream, context| {
            stream.as_mut().poll_write(context, bytes)
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing(context, |stream, context| {
            stream.as_mut().poll_flush(context)
        })
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}

impl Connection for ErrorReportingStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
