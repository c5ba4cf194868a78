//! A connection that tells why it broke.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connector::BoxedStream;
use crate::delivery::LastFailure;

/// A connection that tells why it broke.
///
/// A server refuses a client's certificate only after the handshake, when the client believes that it is connected. It
/// says why, and closes. Whoever is about to write then learns only that the connection is closed, though the reason is
/// there to be read: so an error of writing waits for what can be read.
pub(super) struct Watched {
    stream: BoxedStream,
    failure: LastFailure,
    /// Why nothing can be written any more, until it is known what the other side said.
    broken: Option<io::Error>,
}

impl Watched {
    pub(super) fn new(stream: BoxedStream, failure: LastFailure) -> Self {
        Self {
            stream,
            failure,
            broken: None,
        }
    }

    /// Writes with `write`, and on an error listens for the other side's last words.
    fn writing<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(&mut BoxedStream, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
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

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(self.stream.as_mut().poll_read(context, buffer));
        Poll::Ready(read.map_err(|error| self.note(error)))
    }
}

impl AsyncWrite for Watched {
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

impl Connection for Watched {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}
