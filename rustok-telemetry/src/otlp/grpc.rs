//! OTLP over gRPC. The Cargo feature `grpc`.

use std::sync::Arc;

use http::Uri;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, SpanExporter, WithExportConfig, WithTonicConfig,
};
use tonic::{
    metadata::MetadataMap,
    service::Interceptor,
    transport::{Channel, Endpoint},
};

use super::{
    compression,
    destination::Destination,
    failed,
    headers::ExactHeaders,
    metrics::{Transport, grpc::Calls},
};
use crate::InitError;

pub(super) fn spans(destination: &Destination<'_>) -> Result<SpanExporter, InitError> {
    build(
        destination,
        SpanExporter::builder().with_tonic(),
        |builder| builder.build(),
    )
}

pub(super) fn log_records(destination: &Destination<'_>) -> Result<LogExporter, InitError> {
    build(
        destination,
        LogExporter::builder().with_tonic(),
        |builder| builder.build(),
    )
}

pub(super) fn metrics(destination: &Destination<'_>) -> Result<Arc<dyn Transport>, InitError> {
    Ok(Arc::new(Calls::new(destination)?))
}

fn build<B, E>(
    destination: &Destination<'_>,
    builder: B,
    build: impl FnOnce(B) -> Result<E, ExporterBuildError>,
) -> Result<E, InitError>
where
    B: WithExportConfig + WithTonicConfig,
{
    let mut builder = builder
        .with_channel(channel(destination)?)
        .with_timeout(destination.timeout)
        .with_interceptor(destination.headers.clone());
    if let Some(compression) = compression(destination.config) {
        builder = builder.with_compression(compression);
    }
    build(builder).map_err(|error| failed(destination, &error))
}

/// For tonic the connection is one in clear text, whose security is the connector's matter; what the server is told of
/// the scheme is right all the same. So it does not matter which features of tonic another crate turns on.
pub(super) fn channel(destination: &Destination<'_>) -> Result<Channel, InitError> {
    let connector = destination.connector.clone();
    let (host, port) = (&connector.host, connector.port);
    let origin: Uri = destination
        .url
        .as_str()
        .parse()
        .map_err(|error| failed(destination, &error))?;
    let endpoint = Endpoint::from_shared(format!("http://{host}:{port}"))
        .map_err(|error| failed(destination, &error))?;
    // The channel starts a task.
    let _entered = destination.runtime.enter();
    Ok(endpoint
        .origin(origin)
        .timeout(destination.timeout)
        .connect_with_connector_lazy(connector))
}

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
