//! The HTTP responses with the Prometheus text or OpenMetrics, and those that refuse a request.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY, WWW_AUTHENTICATE},
};

use super::{accept, shared, text::format_for};
use crate::access::Denied;

/// Responds to a request with these headers: with the text in the accepted format, compressed if the request accepts gzip, or with 503 and the
/// reason why there is none. Concurrent requests [share](shared) one text.
///
/// # Panics
///
/// Outside of a tokio runtime.
pub(crate) async fn text_response(request: &HeaderMap) -> Response<Bytes> {
    let [format, encoding] = [ACCEPT, ACCEPT_ENCODING].map(|name| {
        let values = request.get_all(name).iter();
        let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        texts.join(",")
    });
    let (format, gzip) = (format_for(&format), accept::prefers_gzip(&encoding));
    let text = match shared::text(format, gzip).await {
        Ok(text) => text,
        Err(reason) => return plain(StatusCode::SERVICE_UNAVAILABLE, reason),
    };
    let mut response = Response::new(text.body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(text.content_type));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if let Some(encoding) = text.content_encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// Refuses a request, with a sentence.
pub(crate) fn denied(denied: Denied, sentence: &str) -> Response<Bytes> {
    let mut response = plain(denied.status(), format!("{sentence}\n"));
    if denied == Denied::NoToken {
        let bearer = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    }
    response
}
