//! Detects responses that are streams, whose duration is no measure of the service's latency.

use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

/// Media types of streams.
const STREAMED_TYPES: [&str; 6] = [
    "text/event-stream",
    "multipart/x-mixed-replace",
    "application/x-ndjson",
    "application/jsonl",
    "application/json-seq",
    "application/stream+json",
];

/// Whether a response with a body is a stream: by its type, or because its length is unknown. The length of a compressed
/// response is always unknown.
pub(super) fn is_stream(headers: &HeaderMap, length: Option<u64>) -> bool {
    has_streamed_type(headers) || (length.is_none() && !headers.contains_key(CONTENT_ENCODING))
}

fn has_streamed_type(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    let Some(content_type) = content_type.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let (essence, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    let essence = essence.trim();
    STREAMED_TYPES
        .iter()
        .any(|streamed| essence.eq_ignore_ascii_case(streamed))
}
