//! Answers to OTLP requests, over HTTP/1 and gRPC: errors, partial successes, and the Collector's own answers, late.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Request, Response, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::Error;

/// How requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// HTTP 429 or `RESOURCE_EXHAUSTED`, and the time to wait.
    TooManyRequests(Duration),
    /// HTTP 503 or `UNAVAILABLE`, and the time to wait.
    Unavailable(Duration),
    /// HTTP 400 or `INVALID_ARGUMENT`.
    Invalid,
    /// Every second item is rejected, the others are passed on.
    PartialSuccess,
    /// The request is passed on at once, the answer after this time.
    After(Duration),
}

type Body = UnsyncBoxBody<Bytes, Error>;

/// The Collector behind the proxy.
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    address: SocketAddr,
    http: Client<HttpConnector, Body>,
    grpc: Client<HttpConnector, Body>,
}

impl Upstream {
    pub(super) fn new(address: SocketAddr) -> Self {
        let executor = TokioExecutor::new;
        Self {
            address,
            http: Client::builder(executor()).build_http(),
            grpc: Client::builder(executor()).http2_only(true).build_http(),
        }
    }

    /// Answers a request, or passes it on.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        answers: Option<Answers>,
    ) -> Response<Body> {
        let is_grpc = request.version() == Version::HTTP_2;
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return refusal(is_grpc, Code::Internal, 500, None);
        };
        let body = body.to_bytes();
        match answers {
            None => self.pass_on(head, body).await,
            Some(Answers::TooManyRequests(wait)) => {
                refusal(is_grpc, Code::ResourceExhausted, 429, Some(wait))
            }
            Some(Answers::Unavailable(wait)) => {
                refusal(is_grpc, Code::Unavailable, 503, Some(wait))
            }
            Some(Answers::Invalid) => refusal(is_grpc, Code::InvalidArgument, 400, None),
            Some(Answers::After(time)) => {
                let answer = self.pass_on(head, body).await;
                tokio::time::sleep(time).await;
                answer
            }
            Some(Answers::PartialSuccess) => {
                let message = if is_grpc { body.slice(5..) } else { body };
                let Some((kept, rejected)) = reject_half(head.uri.path(), message) else {
                    return refusal(is_grpc, Code::Internal, 500, None);
                };
                let kept = if is_grpc { framed(&kept) } else { kept.into() };
                let answer = self.pass_on(head, kept).await;
                if !is_accepted(&answer) {
                    return answer;
                }
                let rejected_spans = rejected as i64;
                let partial_success = Some(ExportTracePartialSuccess {
                    rejected_spans,
                    error_message: "every second one".to_owned(),
                });
                let answer = ExportTraceServiceResponse { partial_success };
                success(is_grpc, &answer.encode_to_vec())
            }
        }
    }

    /// Sends the request to the Collector.
    async fn pass_on(&self, mut head: Parts, body: Bytes) -> Response<Body> {
        let is_grpc = head.version == Version::HTTP_2;
        let uri = format!("http://{}{}", self.address, head.uri.path());
        let Ok(uri) = uri.parse::<Uri>() else {
            return refusal(is_grpc, Code::Internal, 500, None);
        };
        head.uri = uri;
        head.headers.remove(CONTENT_LENGTH);
        head.headers.remove("host");
        let body = Full::from(body).map_err(|never| match never {});
        let request = Request::from_parts(head, body.boxed_unsync());
        let client = if is_grpc { &self.grpc } else { &self.http };
        match client.request(request).await {
            Ok(answer) => answer.map(|body| body.map_err(Error::from).boxed_unsync()),
            Err(_) => refusal(is_grpc, Code::Unavailable, 502, None),
        }
    }
}

/// The Collector's gRPC errors have no body, so that their status is in the head.
fn is_accepted(answer: &Response<Body>) -> bool {
    let grpc = answer.headers().get("grpc-status");
    answer.status().is_success() && grpc.is_none_or(|status| status == "0")
}

fn refusal(is_grpc: bool, code: Code, status: u16, wait: Option<Duration>) -> Response<Body> {
    let body = Full::default().map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    if is_grpc {
        let details = ErrorDetails::with_retry_info(wait);
        let status = match wait {
            Some(_) => Status::with_error_details(code, "refused", details),
            None => Status::new(code, "refused"),
        };
        return status.into_http::<()>().map(|()| answer.into_body());
    }
    *answer.status_mut() = status.try_into().unwrap_or_default();
    if let Some(wait) = wait {
        answer
            .headers_mut()
            .insert(RETRY_AFTER, wait.as_secs().into());
    }
    answer
}

fn success(is_grpc: bool, message: &[u8]) -> Response<Body> {
    if !is_grpc {
        let body = Full::from(message.to_vec()).map_err(|never| match never {});
        return Response::new(body.boxed_unsync());
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::from(framed(message)).with_trailers(std::future::ready(Some(Ok(trailers))));
    let body = body.map_err(|never: std::convert::Infallible| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    let grpc = HeaderValue::from_static("application/grpc");
    answer.headers_mut().insert(CONTENT_TYPE, grpc);
    answer
}

/// Returns the gRPC frame of a message that is not compressed.
fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], message].concat().into()
}

/// Removes every second span or log record, or every second metric. Returns the remaining message, and how many items
/// it lacks.
fn reject_half(path: &str, message: Bytes) -> Option<(Vec<u8>, usize)> {
    let mut rejected = 0;
    let kept = if path.contains("trace") {
        let mut request = ExportTraceServiceRequest::decode(message).ok()?;
        let scopes = request.resource_spans.iter_mut();
        for scope in scopes.flat_map(|resource| &mut resource.scope_spans) {
            rejected += remove_half(&mut scope.spans);
        }
        request.encode_to_vec()
    } else if path.contains("logs") {
        let mut request = ExportLogsServiceRequest::decode(message).ok()?;
        let scopes = request.resource_logs.iter_mut();
        for scope in scopes.flat_map(|resource| &mut resource.scope_logs) {
            rejected += remove_half(&mut scope.log_records);
        }
        request.encode_to_vec()
    } else {
        let mut request = ExportMetricsServiceRequest::decode(message).ok()?;
        let scopes = request.resource_metrics.iter_mut();
        for scope in scopes.flat_map(|resource| &mut resource.scope_metrics) {
            rejected += remove_half(&mut scope.metrics);
        }
        request.encode_to_vec()
    };
    Some((kept, rejected))
}

fn remove_half<T>(items: &mut Vec<T>) -> usize {
    let before = items.len();
    let mut number = 0;
    items.retain(|_| {
        number += 1;
        number % 2 == 0
    });
    before - items.len()
}
