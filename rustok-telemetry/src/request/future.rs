//! The future of the response, which ends with its head.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{RequestRecorder, ResponseBody, Tracker};

pin_project! {
    /// The future of a service whose requests are tracked.
    #[derive(Debug)]
    pub struct ResponseFuture<F, R: RequestRecorder> {
        #[pin]
        inner: F,
        tracker: Option<Tracker<R>>,
    }
}

impl<F, R: RequestRecorder> ResponseFuture<F, R> {
    /// Wraps the future of the inner service. Without a tracker nothing is recorded.
    pub(crate) fn new(inner: F, tracker: Option<Tracker<R>>) -> Self {
        Self { inner, tracker }
    }
}

impl<F, R, B, E> Future for ResponseFuture<F, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    R: RequestRecorder,
    B: Body,
    E: 'static,
{
    type Output = Result<Response<ResponseBody<B, R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(match this.tracker {
            Some(tracker) => tracker.watch(|_| this.inner.poll(context)),
            None => this.inner.poll(context),
        });
        let mut tracker = this.tracker.take();
        Poll::Ready(match result {
            Ok(response) => {
                let (mut head, body) = response.into_parts();
                if let Some(tracker) = &mut tracker {
                    R::responded(tracker, &mut head, &body);
                }
                Ok(Response::from_parts(head, ResponseBody::new(body, tracker)))
            }
            Err(error) => {
                if let Some(tracker) = &mut tracker {
                    R::service_failed(tracker, &error);
                }
                Err(error)
            }
        })
    }
}
