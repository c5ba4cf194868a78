//! The lifetime of one request over HTTP and its response, which [HTTP](crate::http) and gRPC share: one span, one
//! outcome, and metrics that are recorded once, whether the request ends with a response, an error or a panic, or is
//! dropped.

mod body;
mod counted;
mod future;
mod trust;

use http::response;
use http_body::{Body, Frame};
use tracing::Span;

pub(crate) use self::{
    body::ResponseBody,
    counted::{Tally, count},
    future::ResponseFuture,
    trust::Trust,
};
use crate::operation::{Call, Outcome, OutcomeRecorder};

/// What a protocol records of a request. The outcome is recorded by [`OutcomeRecorder`].
pub trait RequestRecorder: OutcomeRecorder + Sized {
    /// The service has responded: the head is complete, the body follows.
    fn responded<B: Body>(tracker: &mut Tracker<Self>, head: &mut response::Parts, body: &B);

    /// A frame of the response body passes.
    fn passed<D: bytes::Buf>(tracker: &mut Tracker<Self>, frame: &Frame<D>);

    /// The response body has ended.
    fn ended(tracker: &mut Tracker<Self>);

    /// The response body has failed.
    fn body_failed<E: 'static>(tracker: &mut Tracker<Self>, error: &E);

    /// The service has returned an error instead of a response.
    fn service_failed<E: 'static>(tracker: &mut Tracker<Self>, error: &E);

    /// The service or the response body has been polled.
    fn polled(&mut self) {}

    /// Returns the outcome of a request that is dropped before one of the above has ended it. `None` is cancelled.
    fn dropped(&mut self, span: &Span) -> Option<Outcome>;
}

/// Tracks a request until its response has ended. Dropping the tracker ends the request.
#[derive(Debug)]
pub struct Tracker<R: RequestRecorder> {
    call: Call<R>,
}

impl<R: RequestRecorder> Tracker<R> {
    pub(crate) fn begin(span: Span, recorder: R) -> Self {
        Self {
            call: Call::begin(span, recorder),
        }
    }

    /// Runs a part of the request within its span.
    pub(crate) fn watch<T>(&mut self, part: impl FnOnce(&Span) -> T) -> T {
        let value = self.call.step(|span| (part(span), None));
        self.recorder().polled();
        value
    }

    /// Ends the request, unless it has ended before.
    pub(crate) fn finish(&mut self, outcome: &Outcome) {
        self.call.finish(outcome);
    }

    pub(crate) fn recorder(&mut self) -> &mut R {
        self.parts().1
    }

    /// Returns the span and the recorder.
    pub(crate) fn parts(&mut self) -> (&Span, &mut R) {
        (&self.call.span, &mut self.call.pending.recorder)
    }
}

impl<R: RequestRecorder> Drop for Tracker<R> {
    fn drop(&mut self) {
        let Call { span, pending } = &mut self.call;
        if !pending.is_open() {
            return;
        }
        // Otherwise dropping the call cancels the request.
        if let Some(outcome) = pending.recorder.dropped(span) {
            self.finish(&outcome);
        }
    }
}
