//! Counts what a service reads of a request body.

use std::{
    any::Any,
    mem,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use pin_project_lite::pin_project;

/// Counts something in the data of a body, such as bytes.
pub(crate) trait Tally: Default + Send + Sync + 'static {
    /// Returns the number in the next part of the data.
    fn count(&mut self, data: &impl Buf) -> u64;
}

/// Wraps a body so that it counts what is read, and returns the count. Only type-erased bodies can be wrapped, because
/// the layers keep the type of the body.
pub(crate) fn count<T: Tally, B: Body + 'static>(body: &mut B) -> Option<Arc<AtomicU64>> {
    let body: &mut dyn Any = body;
    #[cfg(feature = "axum")]
    if let Some(body) = body.downcast_mut() {
        let wrap = |counted| axum::body::Body::new(UnsyncBoxBody::new(counted));
        return Some(replace::<T, _>(body, wrap));
    }
    #[cfg(any(feature = "grpc", feature = "tonic"))]
    if let Some(body) = body.downcast_mut() {
        let wrap = |counted| tonic::body::Body::new(UnsyncBoxBody::new(counted));
        return Some(replace::<T, _>(body, wrap));
    }
    if let Some(body) = body.downcast_mut::<UnsyncBoxBody<B::Data, B::Error>>() {
        return Some(replace::<T, _>(body, UnsyncBoxBody::new));
    }
    if let Some(body) = body.downcast_mut::<BoxBody<B::Data, B::Error>>() {
        return Some(replace::<T, _>(body, BoxBody::new));
    }
    None
}

fn replace<T: Tally, B: Default>(
    body: &mut B,
    wrap: impl FnOnce(CountedBody<B, T>) -> B,
) -> Arc<AtomicU64> {
    let total = Arc::default();
    *body = wrap(CountedBody {
        inner: mem::take(body),
        tally: T::default(),
        total: Arc::clone(&total),
    });
    total
}

pin_project! {
    struct CountedBody<B, T> {
        #[pin]
        inner: B,
        tally: T,
        total: Arc<AtomicU64>,
    }
}

impl<B: Body, T: Tally> Body for CountedBody<B, T> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.total
                .fetch_add(this.tally.count(data), Ordering::Relaxed);
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
