//! OTLP over HTTP with protobuf. The Cargo feature `http`.

use std::{
    error::Error,
    io::{self, Write},
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use super::{
    connector::Connector,
    retry::{Failed, Retry},
    sender::Transport,
    target::ExportTarget,
};
use crate::{
    InitError,
    config::Compression,
    delivery::{LastFailure, PartialRejection},
};

/// Most of an answer that is read.
const LARGEST_ANSWER: usize = 4 << 20;

pub(super) fn transport(target: &ExportTarget<'_>) -> Result<Arc<dyn Transport>, InitError> {
    Ok(Arc::new(HttpTransport::new(target)?))
}

/// Posts requests to one endpoint. No redirect is followed: that could lead the headers, which are secrets, elsewhere or
/// into clear text.
struct HttpTransport {
    connections: Client<Connector, Full<Bytes>>,
    url: Uri,
    headers: HeaderMap,
    compression: Compression,
    failure: LastFailure,
}

impl HttpTransport {
    fn new(target: &ExportTarget<'_>) -> Result<Self, InitError> {
        let url = target.url.as_str().parse();
        let compression = target.config.compression.value;
        let mut headers = target.headers();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        if let Some(encoding) = encoding(compression) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Ok(Self {
            connections: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(target.connector.clone()),
            url: url.map_err(|error| target.failed(error))?,
            headers,
            compression,
            failure: target.failure.clone(),
        })
    }

    async fn post(&self, body: Bytes) -> Result<Response<Bytes>, BoxError> {
        let mut request = Request::post(self.url.clone()).body(Full::new(body))?;
        *request.headers_mut() = self.headers.clone();
        let (head, body) = self.connections.request(request).await?.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

#[async_trait]
impl Transport for HttpTransport {
    fn prepare(&self, message: Bytes) -> Result<Bytes, String> {
        compress(message, self.compression).map_err(|error| error.to_string())
    }

    async fn send(&self, body: Bytes) -> Result<Option<PartialRejection>, Failed> {
        match self.post(body).await {
            Ok(answer) => read(&answer),
            Err(error) => {
                self.failure.note(&*error);
                Err(no_response(&*error))
            }
        }
    }
}

/// The name of a compression in the header.
fn encoding(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some("gzip"),
        Compression::Zstd => Some("zstd"),
    }
}

fn compress(message: Bytes, compression: Compression) -> io::Result<Bytes> {
    match compression {
        Compression::None => Ok(message),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&message)?;
            encoder.finish().map(Bytes::from)
        }
        #[cfg(feature = "zstd")]
        Compression::Zstd => zstd::bulk::compress(&message, 0).map(Bytes::from),
        // The configuration says so before.
        #[cfg(not(feature = "zstd"))]
        Compression::Zstd => Err(io::Error::other("zstd is left out of this build")),
    }
}

/// What an answer says. A good one that cannot be read is a good one.
fn read(answer: &Response<Bytes>) -> Result<Option<PartialRejection>, Failed> {
    let status = answer.status();
    if status.is_success() {
        // The answers for all signals are alike on the wire.
        let answer = ExportTraceServiceResponse::decode(answer.body().clone());
        return Ok(answer.ok().and_then(PartialRejection::from_response));
    }
    let retry = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let asked = answer.headers().get(RETRY_AFTER);
            let asked = asked.and_then(|value| retry_after(value.to_str().ok()?));
            asked.map_or(Retry::Later, Retry::After)
        }
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Retry::Later,
        _ => Retry::Never,
    };
    Err(Failed {
        reason: format!("HTTP export failed with status code: {}", status.as_u16()),
        retry,
    })
}

/// How long a receiver asks to wait: seconds, or a date.
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let until = date.duration_since(SystemTime::now());
    Some(until.unwrap_or_default())
}

/// Why there is no answer. The account has the error itself.
fn no_response(error: &(dyn Error + 'static)) -> Failed {
    if error.is::<LengthLimitError>() {
        return Failed {
            reason: format!("the answer has more than {LARGEST_ANSWER} bytes"),
            retry: Retry::Never,
        };
    }
    Failed {
        reason: "HTTP export failed: network error".to_owned(),
        retry: Retry::Later,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::{
        ExportLogsPartialSuccess, ExportLogsServiceResponse,
    };

    use super::*;

    fn retry(status: u16, retry_after: Option<&str>) -> Retry {
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
        if let Some(value) = retry_after {
            let value = HeaderValue::from_str(value).expect("a value");
            answer.headers_mut().insert(RETRY_AFTER, value);
        }
        read(&answer).expect_err("a failure").retry
    }

    #[test]
    fn overload_and_gateways_are_for_later_and_all_else_is_final() {
        for status in [429, 502, 503, 504] {
            assert_eq!(retry(status, None), Retry::Later, "{status}");
        }
        for status in [307, 400, 401, 404, 408, 413, 500, 501] {
            assert_eq!(retry(status, Some("1")), Retry::Never, "{status}");
        }
    }

    #[test]
    fn a_receiver_asks_for_time_in_seconds_or_by_a_date() {
        let seven = Retry::After(Duration::from_secs(7));
        assert_eq!(retry(503, Some(" 7 ")), seven);
        assert_eq!(retry(429, Some("soon")), Retry::Later);
        let past = Retry::After(Duration::ZERO);
        assert_eq!(retry(503, Some("Fri, 31 Dec 1999 23:59:59 GMT")), past);
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        let Retry::After(asked) = retry(503, Some(&date)) else {
            panic!("no date: {date}");
        };
        let expected = Duration::from_secs(50)..=Duration::from_secs(60);
        assert!(expected.contains(&asked), "{asked:?}");
    }

    fn answered(body: impl Into<Bytes>) -> Option<PartialRejection> {
        read(&Response::new(body.into())).expect("a good answer")
    }

    #[test]
    fn the_answer_for_log_records_is_read_too() {
        let answer = ExportLogsServiceResponse {
            partial_success: Some(ExportLogsPartialSuccess {
                rejected_log_records: 3,
                error_message: "too old".to_owned(),
            }),
        };
        let rejection = answered(answer.encode_to_vec()).expect("a rejection");
        assert_eq!((rejection.items, rejection.reason.as_str()), (3, "too old"));
    }

    #[test]
    fn an_answer_without_complaint_and_one_that_is_no_protobuf_are_none() {
        assert_eq!(answered(Bytes::new()), None);
        assert_eq!(answered(&b"<html>"[..]), None);
    }
}
