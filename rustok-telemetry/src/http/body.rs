//! The response body, whose end is the end of the request.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::request_tracker::RequestTracker;

pin_project! {
    /// A response body that counts the bytes that are sent, and finishes the request after the last one.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        tracker: Option<RequestTracker>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, mut tracker: Option<RequestTracker>) -> Self {
        if inner.is_end_stream() {
            complete(&mut tracker);
        }
        Self { inner, tracker }
    }
}

/// The body of a response that another layer creates, such as a timeout. It belongs to no request.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: B::default(),
            tracker: None,
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
        let frame = ready!(match this.tracker {
            Some(tracker) => tracker.watch(|| inner.poll_frame(context)),
            None => inner.poll_frame(context),
        });
        match (&frame, this.tracker.as_mut()) {
            (None, _) => complete(this.tracker),
            (Some(Ok(frame)), Some(tracker)) => {
                tracker.sent(data_length(frame));
                // Servers do not poll again after trailers, or after the declared end.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    complete(this.tracker);
                }
            }
            (Some(Err(_)), Some(tracker)) => {
                tracker.body_failed();
                *this.tracker = None;
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

fn complete(tracker: &mut Option<RequestTracker>) {
    if let Some(mut tracker) = tracker.take() {
        tracker.is_complete = true;
    }
}

/// Returns the `Content-Length`.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn data_length<D: Buf>(frame: &Frame<D>) -> usize {
    frame.data_ref().map_or(0, Buf::remaining)
}
