//! OTLP over HTTP with protobuf. The Cargo feature `http`.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use opentelemetry_http::{HttpClient, HttpError, ResponseBodyTooLarge};
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::runtime::Handle;

use super::{
    compression,
    connector::Connector,
    destination::Destination,
    failed,
    headers::ExactHeaders,
    metrics::{Transport, http::Posts},
};
use crate::{
    InitError,
    delivery::{LastFailure, Rejection, note_rejection},
};

/// Most of an answer that is read.
const LARGEST_ANSWER: usize = 4 << 20;

pub(super) fn spans(destination: &Destination<'_>) -> Result<SpanExporter, InitError> {
    build(
        destination,
        SpanExporter::builder().with_http(),
        |builder| builder.build(),
    )
}

pub(super) fn log_records(destination: &Destination<'_>) -> Result<LogExporter, InitError> {
    build(destination, LogExporter::builder().with_http(), |builder| {
        builder.build()
    })
}

pub(super) fn metrics(destination: &Destination<'_>) -> Result<Arc<dyn Transport>, InitError> {
    Ok(Arc::new(Posts::new(destination)?))
}

fn build<B, E>(
    destination: &Destination<'_>,
    builder: B,
    build: impl FnOnce(B) -> Result<E, ExporterBuildError>,
) -> Result<E, InitError>
where
    B: WithExportConfig + WithHttpConfig,
{
    let mut builder = builder
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(destination.url.as_str())
        .with_timeout(destination.timeout)
        .with_http_client(Sender::new(destination));
    if let Some(compression) = compression(destination.config) {
        builder = builder.with_compression(compression);
    }
    build(builder).map_err(|error| failed(destination, &error))
}

/// Sends requests on the runtime of the connections, so that the exporter's thread needs none.
struct Sender {
    client: HttpConnections,
    runtime: Handle,
    headers: ExactHeaders,
    timeout: Duration,
    failure: LastFailure,
}

impl Sender {
    fn new(destination: &Destination<'_>) -> Self {
        Self {
            client: connections(destination),
            runtime: destination.runtime.clone(),
            headers: destination.headers.clone(),
            timeout: destination.timeout,
            failure: destination.failure.clone(),
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.headers.replace_in(request.headers_mut());
        let answer = send_in_time(self.client.clone(), request, self.timeout);
        let sending = self.runtime.spawn(answer);
        let answer = sending.await.unwrap_or_else(|stopped| Err(stopped.into()));
        match &answer {
            Ok(response) if response.status().is_success() => {
                note_rejection(rejection(response.body()));
            }
            Ok(_) => note_rejection(None),
            Err(error) => self.failure.note(&**error),
        }
        answer
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// What the exporters would not tell of a good answer: the part that was not taken. The answers for all signals are alike
/// on the wire, so that one type reads them all.
fn rejection(body: &Bytes) -> Option<Rejection> {
    let answer = ExportTraceServiceResponse::decode(body.clone()).ok()?;
    let partial = answer.partial_success?;
    Rejection::of(partial.rejected_spans, partial.error_message)
}

/// Connections to one endpoint. They follow no redirect: that could lead the headers, which are secrets, elsewhere or
/// into clear text.
pub(super) type HttpConnections = Client<Connector, Full<Bytes>>;

pub(super) fn connections(destination: &Destination<'_>) -> HttpConnections {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(destination.connector.clone())
}

/// Sends a request and takes the answer, on the runtime of the connections.
pub(super) async fn send_in_time(
    client: HttpConnections,
    request: Request<Bytes>,
    limit: Duration,
) -> Result<Response<Bytes>, HttpError> {
    let answer = send(client, request.map(Full::new));
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} ms", limit.as_millis()).into()),
    }
}

async fn send(
    client: HttpConnections,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, HttpError> {
    let (head, body) = client.request(request).await?.into_parts();
    let body = Limited::new(body, LARGEST_ANSWER).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => ResponseBodyTooLarge::new().into(),
        false => error,
    })?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::{
        ExportLogsPartialSuccess, ExportLogsServiceResponse,
    };

    use super::*;

    #[test]
    fn the_answer_for_log_records_is_read_too() {
        let answer = ExportLogsServiceResponse {
            partial_success: Some(ExportLogsPartialSuccess {
                rejected_log_records: 3,
                error_message: "too old".to_owned(),
            }),
        };
        let rejection = rejection(&answer.encode_to_vec().into()).expect("a rejection");
        assert_eq!((rejection.items, rejection.reason.as_str()), (3, "too old"));
    }

    #[test]
    fn an_answer_without_complaint_and_one_that_is_no_protobuf_are_none() {
        assert_eq!(rejection(&Bytes::new()), None);
        assert_eq!(rejection(&Bytes::from_static(b"<html>")), None);
    }
}
