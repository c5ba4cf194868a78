//! Measures the size of a request body.

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

use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use pin_project_lite::pin_project;

use super::body::{content_length, data_length};

/// The size of a request body.
#[derive(Debug)]
pub(super) enum ReceivedSize {
    /// The bytes that the handler has read.
    Counted(Arc<AtomicU64>),
    /// The declared length.
    Declared(u64),
    /// The body cannot be counted, and no length is declared.
    Unknown,
}

impl ReceivedSize {
    /// Wraps a body so that it counts the bytes that are read. Only type-erased bodies can be wrapped, because the layer
    /// keeps the type of the body. A request without a body does not allocate.
    pub(super) fn of<B: Body + 'static>(body: &mut B, headers: &HeaderMap) -> Self {
        if body.is_end_stream() {
            return Self::Declared(0);
        }
        if let Some(received) = count(body) {
            return Self::Counted(received);
        }
        let declared = body.size_hint().exact().or_else(|| content_length(headers));
        declared.map_or(Self::Unknown, Self::Declared)
    }

    pub(super) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Counted(received) => Some(received.load(Ordering::Relaxed)),
            Self::Declared(length) => Some(*length),
            Self::Unknown => None,
        }
    }
}

fn count<B: Body + 'static>(body: &mut B) -> Option<Arc<AtomicU64>> {
    let body: &mut dyn Any = body;
    #[cfg(feature = "axum")]
    if let Some(body) = body.downcast_mut() {
        let wrap = |counted| axum::body::Body::new(UnsyncBoxBody::new(counted));
        return Some(replace(body, wrap));
    }
    #[cfg(feature = "grpc")]
    if let Some(body) = body.downcast_mut() {
        let wrap = |counted| tonic::body::Body::new(UnsyncBoxBody::new(counted));
        return Some(replace(body, wrap));
    }
    if let Some(body) = body.downcast_mut::<UnsyncBoxBody<B::Data, B::Error>>() {
        return Some(replace(body, UnsyncBoxBody::new));
    }
    if let Some(body) = body.downcast_mut::<BoxBody<B::Data, B::Error>>() {
        return Some(replace(body, BoxBody::new));
    }
    None
}

fn replace<B: Default>(body: &mut B, wrap: impl FnOnce(CountedBody<B>) -> B) -> Arc<AtomicU64> {
    let received = Arc::default();
    *body = wrap(CountedBody {
        inner: mem::take(body),
        received: Arc::clone(&received),
    });
    received
}

pin_project! {
    /// A request body that counts the bytes that the handler reads.
    struct CountedBody<B> {
        #[pin]
        inner: B,
        received: Arc<AtomicU64>,
    }
}

impl<B: Body> Body for CountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            let length = data_length(frame) as u64;
            this.received.fetch_add(length, Ordering::Relaxed);
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
