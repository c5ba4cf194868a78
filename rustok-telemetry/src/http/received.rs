//! Measures the size of a request body.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Buf;
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::Body;

use crate::request::{Tally, count};

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
    /// Counts the bytes that are read of a body, if it can be [wrapped](count), else reads the declared length. A request
    /// without a body does not allocate.
    pub(super) fn of<B: Body + 'static>(body: &mut B, headers: &HeaderMap) -> Self {
        if body.is_end_stream() {
            return Self::Declared(0);
        }
        if let Some(received) = count::<Bytes, _>(body) {
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

/// Returns the `Content-Length`.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Counts bytes.
#[derive(Debug, Default)]
struct Bytes;

impl Tally for Bytes {
    fn count(&mut self, data: &impl Buf) -> u64 {
        data.remaining() as u64
    }
}
