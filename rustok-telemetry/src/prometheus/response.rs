//! The HTTP response with the Prometheus text or OpenMetrics.

use std::fmt::Display;

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY},
};

use super::text::prometheus_text_for;

/// Responds to a request with these headers: with the text in the accepted format, compressed if the request accepts gzip, or with 503 and the
/// reason why there is none.
///
/// Collects and compresses on tokio's blocking pool, because callbacks of the service run and compression takes time.
///
/// # Panics
///
/// Outside of a tokio runtime.
pub(crate) async fn text_response(request: &HeaderMap) -> Response<Vec<u8>> {
    let [format, encoding] = [ACCEPT, ACCEPT_ENCODING].map(|name| {
        let values = request.get_all(name).iter();
        let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        texts.join(",")
    });
    let text = move || prometheus_text_for(&format).map(|text| text.encoded_for(&encoding));
    let text = match tokio::task::spawn_blocking(text).await {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => return unavailable(&error),
        Err(error) => return unavailable(&error),
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

pub(crate) fn plain(status: StatusCode, text: String) -> Response<Vec<u8>> {
    let mut response = Response::new(text.into_bytes());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn unavailable(error: &dyn Display) -> Response<Vec<u8>> {
    plain(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}
