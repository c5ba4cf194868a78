//! Requests with protobuf over HTTP.

use std::{
    io::{self, Write},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
};
use opentelemetry_http::{HttpError, ResponseBodyTooLarge};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

use super::{
    Transport,
    retry::{Again, Failed},
};
use crate::{
    InitError,
    config::Compression,
    delivery::LastFailure,
    otlp::{
        destination::Destination,
        failed,
        headers::USER_AGENT_VALUE,
        http::{HttpConnections, connections, send_in_time},
    },
};

/// Most that is sent, as the specification recommends.
const LARGEST_BODY: usize = 64 << 20;

/// Posts requests to one endpoint.
pub(in crate::otlp) struct Posts {
    connections: HttpConnections,
    url: Uri,
    headers: HeaderMap,
    compression: Compression,
    timeout: Duration,
    failure: LastFailure,
}

impl Posts {
    pub(in crate::otlp) fn new(destination: &Destination<'_>) -> Result<Self, InitError> {
        let url = destination.url.as_str().parse();
        let compression = *destination.config.compression;
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        headers.insert(USER_AGENT, USER_AGENT_VALUE);
        if let Some(encoding) = encoding(compression) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        destination.headers.replace_in(&mut headers);
        Ok(Self {
            connections: connections(destination),
            url: url.map_err(|error| failed(destination, &error))?,
            headers,
            compression,
            timeout: destination.timeout,
            failure: destination.failure.clone(),
        })
    }
}

#[async_trait]
impl Transport for Posts {
    fn prepare(&self, message: Bytes) -> Result<Bytes, String> {
        check_size(&message)?;
        let body = compress(message, self.compression).map_err(|error| error.to_string())?;
        check_size(&body)?;
        Ok(body)
    }

    async fn send(&self, body: Bytes) -> Result<ExportMetricsServiceResponse, Failed> {
        let mut request = Request::post(self.url.clone())
            .body(body)
            .map_err(|error| never(error.to_string()))?;
        *request.headers_mut() = self.headers.clone();
        match send_in_time(self.connections.clone(), request, self.timeout).await {
            Ok(answer) => read(&answer),
            Err(error) => {
                self.failure.note(&*error);
                Err(unanswered(&error))
            }
        }
    }
}

fn check_size(body: &Bytes) -> Result<(), String> {
    match body.len() {
        0..=LARGEST_BODY => Ok(()),
        size => Err(format!(
            "the request has {size} bytes, and more than {LARGEST_BODY} are not sent"
        )),
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
fn read(answer: &Response<Bytes>) -> Result<ExportMetricsServiceResponse, Failed> {
    let status = answer.status();
    if status.is_success() {
        let answer = answer.body().clone();
        return Ok(ExportMetricsServiceResponse::decode(answer).unwrap_or_default());
    }
    let again = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let asked = answer.headers().get(RETRY_AFTER);
            let asked = asked.and_then(|value| retry_after(value.to_str().ok()?));
            asked.map_or(Again::Later, Again::After)
        }
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Again::Later,
        _ => Again::Never,
    };
    Err(Failed {
        reason: format!("HTTP export failed with status code: {}", status.as_u16()),
        again,
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
fn unanswered(error: &HttpError) -> Failed {
    if error.is::<ResponseBodyTooLarge>() {
        return never(error.to_string());
    }
    Failed {
        reason: "HTTP export failed: network error".to_owned(),
        again: Again::Later,
    }
}

fn never(reason: String) -> Failed {
    Failed {
        reason,
        again: Again::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(status: u16, retry_after: Option<&str>) -> Again {
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
        if let Some(value) = retry_after {
            let value = HeaderValue::from_str(value).expect("a value");
            answer.headers_mut().insert(RETRY_AFTER, value);
        }
        read(&answer).expect_err("a failure").again
    }

    #[test]
    fn overload_and_gateways_are_for_later_and_all_else_is_final() {
        for status in [429, 502, 503, 504] {
            assert_eq!(again(status, None), Again::Later, "{status}");
        }
        for status in [307, 400, 401, 404, 408, 413, 500, 501] {
            assert_eq!(again(status, Some("1")), Again::Never, "{status}");
        }
    }

    #[test]
    fn a_receiver_asks_for_time_in_seconds_or_by_a_date() {
        let seven = Again::After(Duration::from_secs(7));
        assert_eq!(again(503, Some(" 7 ")), seven);
        assert_eq!(again(429, Some("soon")), Again::Later);
        let past = Again::After(Duration::ZERO);
        assert_eq!(again(503, Some("Fri, 31 Dec 1999 23:59:59 GMT")), past);
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        let Again::After(asked) = again(503, Some(&date)) else {
            panic!("no date: {date}");
        };
        let expected = Duration::from_secs(50)..=Duration::from_secs(60);
        assert!(expected.contains(&asked), "{asked:?}");
    }
}
