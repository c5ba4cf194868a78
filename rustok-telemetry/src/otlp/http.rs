//! OTLP over HTTP with protobuf. The Cargo feature `http`.

use std::{fmt, time::Duration};

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
    ExporterBuildError, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_sdk::metrics::Temporality;
use tokio::runtime::Handle;

use super::{
    compression, connector::Connector, destination::Destination, failed, headers::ExactHeaders,
};
use crate::{
    InitError,
    delivery::{LastFailure, note_answer},
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

pub(super) fn metrics(
    destination: &Destination<'_>,
    temporality: Temporality,
) -> Result<MetricExporter, InitError> {
    let builder = MetricExporter::builder().with_temporality(temporality);
    build(destination, builder.with_http(), |builder| builder.build())
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

/// Sends requests on the runtime of the connections, so that the exporter's thread needs none. It follows no redirect:
/// that could lead the headers, which are secrets, elsewhere or into clear text.
struct Sender {
    client: Client<Connector, Full<Bytes>>,
    runtime: Handle,
    headers: ExactHeaders,
    timeout: Duration,
    failure: LastFailure,
}

impl Sender {
    fn new(destination: &Destination<'_>) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(destination.connector.clone());
        Self {
            client,
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
        let answer = send(self.client.clone(), request.map(Full::new));
        let limit = self.timeout;
        let sending = self.runtime.spawn(async move {
            match tokio::time::timeout(limit, answer).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {} ms", limit.as_millis()).into()),
            }
        });
        let answer = sending.await.unwrap_or_else(|stopped| Err(stopped.into()));
        match &answer {
            Ok(response) => note_answer(response.status(), response.body()),
            Err(error) => self.failure.note(&**error),
        }
        answer
    }
}

async fn send(
    client: Client<Connector, Full<Bytes>>,
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

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
