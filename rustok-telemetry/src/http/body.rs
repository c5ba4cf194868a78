//! A response's body, which ends the request.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::exchange::RequestTracker;

pin_project! {
    /// A response's body that counts the bytes that are sent, and ends the request when the last one has been.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        exchange: Option<RequestTracker>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, exchange: Option<RequestTracker>) -> Self {
        let mut body = Self { inner, exchange };
        if body.inner.is_end_stream() {
            finish(&mut body.exchange);
        }
        body
    }
}

/// What other layers answer with in place of the service, such as a timeout: a body that belongs to no request.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: B::default(),
            exchange: None,
        }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let inner = this.inner.as_mut();
        let frame = ready!(match this.exchange {
            Some(exchange) => exchange.watch(|| inner.poll_frame(context)),
            None => inner.poll_frame(context),
        });
        match (&frame, this.exchange.as_mut()) {
            (None, _) => finish(this.exchange),
            (Some(Ok(frame)), Some(exchange)) => {
                exchange.sent(data_length(frame));
                // Servers do not poll again after trailers, or once the body tells its end.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    finish(this.exchange);
                }
            }
            (Some(Err(_)), Some(exchange)) => {
                exchange.body_failed();
                *this.exchange = None;
            }
            (Some(_), None) => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn finish(exchange: &mut Option<RequestTracker>) {
    if let Some(mut exchange) = exchange.take() {
        exchange.complete();
    }
}

/// The length that a message's header announces.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn data_length<D: Buf>(frame: &Frame<D>) -> usize {
    frame.data_ref().map_or(0, Buf::remaining)
}
