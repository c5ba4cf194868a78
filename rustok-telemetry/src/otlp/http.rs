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

/// Most bytes of a response that are read.
const LARGEST_RESPONSE: usize = 4 << 20;

pub(super) fn transport(target: &ExportTarget<'_>) -> Result<Arc<dyn Transport>, InitError> {
    let url = target.url.as_str().parse();
    let compression = target.config.compression.value;
    let mut headers = target.headers();
    let mut set_default = |name, value| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set_default(CONTENT_TYPE, "application/x-protobuf");
    match compression {
        Compression::None => {}
        Compression::Gzip => set_default(CONTENT_ENCODING, "gzip"),
        Compression::Zstd => set_default(CONTENT_ENCODING, "zstd"),
    }
    Ok(Arc::new(HttpClient {
        client: Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(target.connector.clone()),
        url: url.map_err(|error| target.failed(error))?,
        headers,
        compression,
        failure: target.failure.clone(),
    }))
}

/// A client for one endpoint. It follows no redirects: they could send the headers, which are secrets, to another server
/// or in clear text.
struct HttpClient {
    client: Client<Connector, Full<Bytes>>,
    url: Uri,
    headers: HeaderMap,
    compression: Compression,
    failure: LastFailure,
}

impl HttpClient {
    async fn post(&self, body: Bytes) -> Result<Response<Bytes>, BoxError> {
        let mut request = Request::post(self.url.clone()).body(Full::new(body))?;
        *request.headers_mut() = self.headers.clone();
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = Limited::new(body, LARGEST_RESPONSE).collect().await?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

#[async_trait]
impl Transport for HttpClient {
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
        // The configuration rejects it before.
        #[cfg(not(feature = "zstd"))]
        Compression::Zstd => Err(io::Error::other("zstd is disabled in this build")),
    }
}

/// Reads a response. A success with a body that is not protobuf is a success.
fn read(answer: &Response<Bytes>) -> Result<Option<PartialRejection>, Failed> {
    let status = answer.status();
    if status.is_success() {
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

/// Parses `Retry-After`: seconds, or a date.
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let until = date.duration_since(SystemTime::now());
    Some(until.unwrap_or_default())
}

/// Returns the failure of a request without a response. [`LastFailure`] has the cause.
fn no_response(error: &(dyn Error + 'static)) -> Failed {
    if error.is::<LengthLimitError>() {
        return Failed {
            reason: format!("the answer has more than {LARGEST_RESPONSE} bytes"),
            retry: Retry::Never,
        };
    }
    Failed {
        reason: "HTTP export failed: network error".to_owned(),
        retry: Retry::Later,
    }
}
