//! The response body, whose end is the end of the request.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{RequestRecorder, Tracker};

pin_project! {
    /// A response body that ends the request after its last frame, or when it is dropped.
    #[derive(Debug)]
    pub struct ResponseBody<B, R: RequestRecorder> {
        #[pin]
        inner: B,
        tracker: Option<Tracker<R>>,
    }
}

impl<B: Body, R: RequestRecorder> ResponseBody<B, R> {
    pub(super) fn new(inner: B, mut tracker: Option<Tracker<R>>) -> Self {
        if inner.is_end_stream() {
            end(&mut tracker);
        }
        Self { inner, tracker }
    }
}

/// The body of a response that another layer creates, such as a timeout. It belongs to no request.
impl<B: Default, R: RequestRecorder> Default for ResponseBody<B, R> {
    fn default() -> Self {
        Self {
            inner: B::default(),
            tracker: None,
        }
    }
}

impl<B, R> Body for ResponseBody<B, R>
where
    B: Body,
    B::Error: 'static,
    R: RequestRecorder,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let inner = this.inner.as_mut();
        let frame = ready!(match this.tracker {
            Some(tracker) => tracker.watch(|_| inner.poll_frame(context)),
            None => inner.poll_frame(context),
        });
        match (&frame, this.tracker.as_mut()) {
            (None, _) => end(this.tracker),
            (Some(Ok(frame)), Some(tracker)) => {
                R::passed(tracker, frame);
                // Servers do not poll again after trailers, or after the declared end.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    end(this.tracker);
                }
            }
            (Some(Err(error)), Some(tracker)) => {
                R::body_failed(tracker, error);
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

fn end<R: RequestRecorder>(tracker: &mut Option<Tracker<R>>) {
    if let Some(mut tracker) = tracker.take() {
        R::ended(&mut tracker);
    }
}
