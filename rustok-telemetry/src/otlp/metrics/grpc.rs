//! Calls over gRPC.

use std::error::Error;

use async_trait::async_trait;
use bytes::{BufMut, Bytes};
use http::{HeaderMap, header::USER_AGENT, uri::PathAndQuery};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
    transport::Channel,
};
use tonic_types::StatusExt;

use super::{
    Transport,
    retry::{Again, Failed},
};
use crate::{
    InitError,
    config::Compression,
    otlp::{destination::Destination, grpc::channel, headers::USER_AGENT_VALUE},
};

const METHOD: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// Calls the service of one endpoint.
pub(in crate::otlp) struct Calls {
    client: Grpc<Channel>,
    headers: HeaderMap,
}

impl Calls {
    pub(in crate::otlp) fn new(destination: &Destination<'_>) -> Result<Self, InitError> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, USER_AGENT_VALUE);
        destination.headers.replace_in(&mut headers);
        let mut client = Grpc::new(channel(destination)?);
        if let Some(encoding) = encoding(destination)? {
            client = client.send_compressed(encoding).accept_compressed(encoding);
        }
        Ok(Self { client, headers })
    }
}

fn encoding(destination: &Destination<'_>) -> Result<Option<CompressionEncoding>, InitError> {
    match *destination.config.compression {
        Compression::None => Ok(None),
        Compression::Gzip => Ok(Some(CompressionEncoding::Gzip)),
        #[cfg(feature = "zstd")]
        Compression::Zstd => Ok(Some(CompressionEncoding::Zstd)),
        // The configuration says so before, with the variable's name.
        #[cfg(not(feature = "zstd"))]
        Compression::Zstd => {
            let why = "zstd is left out of this build";
            Err(crate::otlp::failed(destination, &why))
        }
    }
}

#[async_trait]
impl Transport for Calls {
    /// The client compresses it.
    fn prepare(&self, message: Bytes) -> Result<Bytes, String> {
        Ok(message)
    }

    async fn send(&self, message: Bytes) -> Result<ExportMetricsServiceResponse, Failed> {
        let mut client = self.client.clone();
        let ready = client.ready().await;
        ready.map_err(|error| failed_call(&Status::from_error(error.into())))?;
        let mut request = tonic::Request::new(message);
        *request.metadata_mut() = MetadataMap::from_headers(self.headers.clone());
        let method = PathAndQuery::from_static(METHOD);
        match client.unary(request, method, Encoded).await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(failed_call(&status)),
        }
    }
}

/// Why a call failed: the code, and what caused it on this side. A message of the receiver could repeat secrets.
fn failed_call(status: &Status) -> Failed {
    let mut reason = format!("export failed with gRPC code: {:?}", status.code());
    let mut cause = status.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    Failed {
        reason,
        again: again(status),
    }
}

fn again(status: &Status) -> Again {
    let asked = status.get_details_retry_info();
    let asked = asked.and_then(|info| info.retry_delay);
    match (status.code(), asked) {
        (Code::ResourceExhausted, Some(asked)) => Again::After(asked),
        (Code::Unavailable, Some(asked)) if !asked.is_zero() => Again::After(asked),
        (
            Code::Unavailable
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::DataLoss,
            _,
        ) => Again::Later,
        _ => Again::Never,
    }
}

/// Takes requests that are encoded already.
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = ExportMetricsServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.reserve(message.len());
        into.put(message);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = ExportMetricsServiceResponse;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        let answer = ExportMetricsServiceResponse::decode(from);
        answer
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn exhaustion_is_for_later_only_if_the_receiver_says_when() {
        let exhausted = Status::resource_exhausted("");
        assert_eq!(again(&exhausted), Again::Never);
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(2)));
        for code in [Code::ResourceExhausted, Code::Unavailable] {
            let status = Status::with_error_details(code, "", details.clone());
            assert_eq!(again(&status), Again::After(Duration::from_secs(2)));
        }
    }

    #[test]
    fn each_other_code_is_for_later_or_final() {
        for code in (0..=16).map(Code::from_i32) {
            let later = [
                Code::Cancelled,
                Code::DeadlineExceeded,
                Code::Aborted,
                Code::OutOfRange,
                Code::Unavailable,
                Code::DataLoss,
            ];
            let expected = match later.contains(&code) {
                true => Again::Later,
                false => Again::Never,
            };
            assert_eq!(again(&Status::new(code, "")), expected, "{code:?}");
        }
    }

    #[test]
    fn what_the_receiver_writes_is_not_repeated() {
        let failed = failed_call(&Status::unauthenticated("api-key=hunter2"));
        let expected = "export failed with gRPC code: Unauthenticated";
        assert_eq!(failed.reason, expected);
    }
}
