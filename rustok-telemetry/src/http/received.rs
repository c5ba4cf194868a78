//! The size of a request's body.

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

/// The size of a request's body.
#[derive(Debug)]
pub(super) enum ReceivedSize {
    /// The bytes that the handler has read.
    Counted(Arc<AtomicU64>),
    /// The length that the request declared.
    Declared(u64),
    /// The body has another type than those that can be counted, and no length was declared.
    Unknown,
}

impl ReceivedSize {
    /// Counts what will be read of a body. The body keeps its type, so that the layer fits between any others; only the
    /// usual type-erased bodies can be wrapped that way. A request without a body costs no allocation.
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
    /// A request's body that counts the bytes that the handler reads.
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use futures::{executor::block_on, stream};
    use http::header::CONTENT_LENGTH;
    use http_body_util::{BodyExt, Empty, Full, StreamBody};

    use super::*;

    /// A body whose length nothing tells.
    fn chunked() -> impl Body<Data = Bytes, Error = Infallible> + Send + Sync + Unpin {
        let frames = ["01234", "567"].map(|data| Ok(Frame::data(Bytes::from(data))));
        StreamBody::new(stream::iter(frames))
    }

    /// The size that is known when the whole body has been read.
    fn size<B: Body + Unpin + 'static>(mut body: B, headers: &HeaderMap) -> Option<u64> {
        let size = ReceivedSize::of(&mut body, headers);
        assert!(block_on(body.collect()).is_ok());
        size.bytes()
    }

    #[test]
    fn bodies_of_erased_types_are_counted_as_they_are_read() {
        // The declared length does not matter.
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, http::HeaderValue::from_static("1000"));
        assert_eq!(size(chunked().boxed(), &headers), Some(8));
        assert_eq!(size(chunked().boxed_unsync(), &headers), Some(8));
        #[cfg(feature = "axum")]
        assert_eq!(size(axum::body::Body::new(chunked()), &headers), Some(8));
        #[cfg(feature = "grpc")]
        assert_eq!(size(tonic::body::Body::new(chunked()), &headers), Some(8));
        let mut unread = chunked().boxed();
        assert_eq!(ReceivedSize::of(&mut unread, &headers).bytes(), Some(0));
    }

    #[test]
    fn other_bodies_have_the_declared_size() {
        let mut headers = HeaderMap::new();
        assert_eq!(size(chunked(), &headers), None);
        assert_eq!(size(Full::new(Bytes::from("01234")), &headers), Some(5));
        assert_eq!(size(Empty::<Bytes>::new(), &headers), Some(0));
        headers.insert(CONTENT_LENGTH, http::HeaderValue::from_static("8"));
        assert_eq!(size(chunked(), &headers), Some(8));
    }
}
