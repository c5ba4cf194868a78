//! OTLP over gRPC. The Cargo feature `grpc`.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{BufMut, Bytes};
use http::{HeaderMap, Uri, uri::PathAndQuery};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt;

use super::{
    retry::{Failed, Retry},
    sender::Transport,
    target::ExportTarget,
};
use crate::{
    InitError,
    config::{Compression, Signal},
    delivery::PartialRejection,
};

pub(super) fn transport(target: &ExportTarget<'_>) -> Result<Arc<dyn Transport>, InitError> {
    let mut client = Grpc::new(channel(target)?);
    if let Some(encoding) = encoding(target)? {
        client = client.send_compressed(encoding).accept_compressed(encoding);
    }
    Ok(Arc::new(GrpcClient {
        client,
        method: PathAndQuery::from_static(method(target.config.signal)),
        headers: target.headers(),
    }))
}

struct GrpcClient {
    client: Grpc<Channel>,
    method: PathAndQuery,
    headers: HeaderMap,
}

fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

/// tonic gets an `http://` URI and the connector adds TLS, so that the features of tonic that another crate turns on make
/// no difference. `origin` tells the server the right scheme.
fn channel(target: &ExportTarget<'_>) -> Result<Channel, InitError> {
    let connector = target.connector.clone();
    let (host, port) = (&connector.host, connector.port);
    let origin: Uri = target
        .url
        .as_str()
        .parse()
        .map_err(|error| target.failed(error))?;
    let endpoint = Endpoint::from_shared(format!("http://{host}:{port}"))
        .map_err(|error| target.failed(error))?;
    // The channel starts a task.
    let _entered = target.runtime.enter();
    Ok(endpoint
        .origin(origin)
        .http2_keep_alive_interval((target.timeout / 2).min(LONGEST_PING_INTERVAL))
        .keep_alive_timeout((target.timeout / 4).min(LONGEST_PONG))
        .keep_alive_while_idle(false)
        .connect_with_connector_lazy(connector))
}

/// A connection with a pending request is pinged after half of the request's timeout without data. Without a pong within
/// a quarter of the timeout the connection is dead, and the request is retried on a new one, still within its timeout.
///
/// gRPC servers close a connection after more than two pings in five minutes without a response in between. A response
/// comes after at most two pings; without a timeout, this is the interval of pings.
const LONGEST_PING_INTERVAL: Duration = Duration::from_secs(310);
const LONGEST_PONG: Duration = Duration::from_secs(20);

fn encoding(target: &ExportTarget<'_>) -> Result<Option<CompressionEncoding>, InitError> {
    match target.config.compression.value {
        Compression::None => Ok(None),
        Compression::Gzip => Ok(Some(CompressionEncoding::Gzip)),
        #[cfg(feature = "zstd")]
        Compression::Zstd => Ok(Some(CompressionEncoding::Zstd)),
        // The configuration rejects it before, with the variable's name.
        #[cfg(not(feature = "zstd"))]
        Compression::Zstd => {
            let why = "zstd is disabled in this build";
            Err(target.failed(why))
        }
    }
}

#[async_trait]
impl Transport for GrpcClient {
    /// Returns the message: the client compresses it.
    fn prepare(&self, message: Bytes) -> Result<Bytes, String> {
        Ok(message)
    }

    async fn send(&self, message: Bytes) -> Result<Option<PartialRejection>, Failed> {
        let mut client = self.client.clone();
        let ready = client.ready().await;
        ready.map_err(|error| failed_call(&Status::from_error(error.into())))?;
        let mut request = tonic::Request::new(message);
        *request.metadata_mut() = MetadataMap::from_headers(self.headers.clone());
        match client.unary(request, self.method.clone(), BytesCodec).await {
            Ok(answer) => Ok(PartialRejection::from_response(answer.into_inner())),
            Err(status) => Err(failed_call(&status)),
        }
    }
}

/// Returns the code and the local cause of a failed call. The receiver's message is not repeated: it may hold secrets.
fn failed_call(status: &Status) -> Failed {
    let mut reason = format!("export failed with gRPC code: {:?}", status.code());
    let mut cause = status.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    Failed {
        reason,
        retry: retry(status),
    }
}

fn retry(status: &Status) -> Retry {
    let asked = status.get_details_retry_info();
    let asked = asked.and_then(|info| info.retry_delay);
    match (status.code(), asked) {
        (Code::ResourceExhausted, Some(asked)) => Retry::After(asked),
        (Code::Unavailable, Some(asked)) if !asked.is_zero() => Retry::After(asked),
        (
            Code::Unavailable
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::DataLoss,
            _,
        ) => Retry::Later,
        // A status with a source comes from the connection, not from the receiver.
        (Code::Unknown, _) if status.source().is_some() => Retry::Later,
        _ => Retry::Never,
    }
}

/// A codec for encoded requests. The responses of all signals have the same wire format.
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = ExportTraceServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.reserve(message.len());
        into.put(message);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = ExportTraceServiceResponse;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        let answer = ExportTraceServiceResponse::decode(from);
        answer
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_broken_connection_is_retried() {
        let broken = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(retry(&Status::from_error(broken.into())), Retry::Later);
    }
}
