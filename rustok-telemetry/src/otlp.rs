//! Exporters of all signals for OTLP, over gRPC and over HTTP with protobuf.
//!
//! The exporters run on threads of the SDK, whatever runtime the application uses, or none. HTTP uses the blocking
//! client, given explicitly, so that no Cargo feature of another crate can exchange it for an asynchronous one, which
//! those threads cannot drive. gRPC needs a runtime for its connection: it gets a small one of its own.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT},
};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig,
    WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::metrics::Temporality;
use tonic::{metadata::MetadataMap, service::Interceptor};

use crate::{
    InitError,
    config::{OtlpConfig, Protocol as Configured},
    delivery::{Reporting, note_answer, note_cause},
};

/// What no limit becomes: the exporters do not take an infinite timeout.
const NO_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The runtime that the gRPC connections live on, if there are any.
#[derive(Debug, Default)]
pub(crate) struct ConnectionRuntime(Option<tokio::runtime::Runtime>);

impl ConnectionRuntime {
    /// Runs `build` within the runtime, which is started at the first call.
    fn enter<T>(&mut self, build: impl FnOnce() -> T) -> Result<T, InitError> {
        let runtime = match &mut self.0 {
            Some(runtime) => runtime,
            none => none.insert(
                tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .thread_name("rustok-telemetry")
                    .enable_all()
                    .build()
                    .map_err(|error| {
                        InitError::Pipeline(format!("the thread for gRPC: {error}"))
                    })?,
            ),
        };
        let _entered = runtime.enter();
        Ok(build())
    }
}

impl Drop for ConnectionRuntime {
    fn drop(&mut self) {
        // Waiting for the runtime would panic where the guard is dropped within another one.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The exporter for spans. `limit` bounds an export besides the exporter's own timeout.
pub(crate) fn span_exporter(
    config: &OtlpConfig,
    limit: Option<Duration>,
    runtime: &mut ConnectionRuntime,
) -> Result<Reporting<SpanExporter>, InitError> {
    let timeout = timeout(config, limit);
    let builder = SpanExporter::builder();
    let exporter = match *config.protocol {
        Configured::Grpc => {
            runtime.enter(|| over_grpc(builder.with_tonic(), config, timeout).build())?
        }
        Configured::HttpProtobuf => over_http(builder.with_http(), config, timeout)?.build(),
    };
    report(exporter, config, "traces")
}

/// The exporter for log records. `limit` bounds an export besides the exporter's own timeout.
pub(crate) fn log_exporter(
    config: &OtlpConfig,
    limit: Option<Duration>,
    runtime: &mut ConnectionRuntime,
) -> Result<Reporting<LogExporter>, InitError> {
    let timeout = timeout(config, limit);
    let builder = LogExporter::builder();
    let exporter = match *config.protocol {
        Configured::Grpc => {
            runtime.enter(|| over_grpc(builder.with_tonic(), config, timeout).build())?
        }
        Configured::HttpProtobuf => over_http(builder.with_http(), config, timeout)?.build(),
    };
    report(exporter, config, "logs")
}

/// The exporter for metrics, cumulative, since Prometheus is at the other end.
pub(crate) fn metric_exporter(
    config: &OtlpConfig,
    limit: Option<Duration>,
    runtime: &mut ConnectionRuntime,
) -> Result<Reporting<MetricExporter>, InitError> {
    let timeout = timeout(config, limit);
    let builder = MetricExporter::builder().with_temporality(Temporality::Cumulative);
    let exporter = match *config.protocol {
        Configured::Grpc => {
            runtime.enter(|| over_grpc(builder.with_tonic(), config, timeout).build())?
        }
        Configured::HttpProtobuf => over_http(builder.with_http(), config, timeout)?.build(),
    };
    report(exporter, config, "metrics")
}

fn over_grpc<B>(builder: B, config: &OtlpConfig, timeout: Duration) -> B
where
    B: WithExportConfig + WithTonicConfig,
{
    builder
        .with_endpoint(config.url())
        .with_timeout(timeout)
        .with_interceptor(ExactHeaders::of(config))
}

fn over_http<B>(builder: B, config: &OtlpConfig, timeout: Duration) -> Result<B, InitError>
where
    B: WithExportConfig + WithHttpConfig,
{
    let client = ExactClient {
        client: http_client(timeout)?,
        headers: ExactHeaders::of(config),
    };
    Ok(builder
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(config.url())
        .with_timeout(timeout)
        .with_http_client(client))
}

fn report<E>(
    exporter: Result<E, ExporterBuildError>,
    config: &OtlpConfig,
    signal: &str,
) -> Result<Reporting<E>, InitError> {
    exporter
        .map(|exporter| Reporting::new(exporter, config.shown_url()))
        .map_err(|error| InitError::Pipeline(format!("the OTLP exporter for {signal}: {error}")))
}

fn timeout(config: &OtlpConfig, limit: Option<Duration>) -> Duration {
    [*config.timeout, limit]
        .into_iter()
        .flatten()
        .fold(NO_LIMIT, Duration::min)
}

/// The blocking client must be made outside any runtime, or it panics.
fn http_client(timeout: Duration) -> Result<reqwest::blocking::Client, InitError> {
    let build = move || {
        reqwest::blocking::Client::builder()
            .timeout(timeout)
            .build()
    };
    let failed =
        |error: &dyn std::fmt::Display| InitError::Pipeline(format!("the HTTP client: {error}"));
    std::thread::Builder::new()
        .name("rustok-telemetry".to_owned())
        .spawn(build)
        .map_err(|error| failed(&error))?
        .join()
        .map_err(|_| failed(&"it panicked"))?
        .map_err(|error| failed(&error))
}

/// The configured headers, and no others.
///
/// The exporters read the headers of the environment by themselves, decode values a second time, and let them win over
/// what code says. Whatever they have added is taken out here.
#[derive(Debug, Clone)]
struct ExactHeaders(HeaderMap);

impl ExactHeaders {
    fn of(config: &OtlpConfig) -> Self {
        Self(config.headers.to_header_map())
    }

    fn replace_in(&self, headers: &mut HeaderMap) {
        let others = headers
            .keys()
            .filter(|name| !PROTOCOL_HEADERS.contains(name))
            .cloned();
        for name in others.collect::<Vec<_>>() {
            headers.remove(name);
        }
        for (name, value) in &self.0 {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// What belongs to the protocol and not to the configuration.
const PROTOCOL_HEADERS: [HeaderName; 4] =
    [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH, USER_AGENT];

impl Interceptor for ExactHeaders {
    fn call(
        &mut self,
        mut request: tonic::Request<()>,
    ) -> Result<tonic::Request<()>, tonic::Status> {
        let mut headers = std::mem::take(request.metadata_mut()).into_headers();
        self.replace_in(&mut headers);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        Ok(request)
    }
}

#[derive(Debug)]
struct ExactClient {
    client: reqwest::blocking::Client,
    headers: ExactHeaders,
}

#[async_trait::async_trait]
impl HttpClient for ExactClient {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.headers.replace_in(request.headers_mut());
        let result = self.client.send_bytes(request).await;
        match &result {
            Ok(response) => note_answer(response.status(), response.body()),
            Err(error) => note_cause(&**error),
        }
        result
    }
}
