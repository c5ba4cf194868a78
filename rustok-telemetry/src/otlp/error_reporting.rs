//! A connection that tells why it broke, and can be closed from outside.

use std::{
    fmt,
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

/// The connection of an exporter that was made last.
///
/// A connection can be open and dead: a proxy or a network device swallows what is sent. Then the exporter closes it, so
/// that the next request takes a new one. HTTP/2 would keep it, as a request without an answer says nothing of others.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenConnection(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl OpenConnection {
    /// Closes the connection: reads and writes fail.
    pub(super) fn close(&self) {
        if let Some(close) = self.lock().take() {
            // Without a receiver it is closed already.
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

/// A connection that tells why it broke.
///
/// A server refuses a client's certificate only after the handshake, when the client believes that it is connected. It
/// says why, and closes. Whoever is about to write then learns only that the connection is closed, though the reason is
/// there to be read: so an error of writing waits for what can be read.
pub(super) struct ErrorReportingStream {
    stream: BoxedStream,
    failure: LastFailure,
    /// Why nothing can be written any more, until it is known what the other side said.
    broken: Option<io::Error>,
    closing: Closing,
}

/// Whether a connection is closed from outside.
enum Closing {
    Possible(oneshot::Receiver<()>),
    /// Another connection was made since.
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

    /// An error if the connection was closed from outside; else wakes the task when it is. It is not noted as a failure:
    /// the reason is the request that got no answer.
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

    /// Writes with `write`, and on an error listens for the other side's last words.
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
        let last_words = ready!(self.stream.as_mut().poll_read(context, &mut buffer));
        let broken = self.broken.take();
        let error = last_words.err().or(broken);
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

impl fmt::Debug for ErrorReportingStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}
