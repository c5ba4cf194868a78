//! Calls of the inventory over gRPC.

use http::uri::PathAndQuery;
use prost::Message;
use rustok_telemetry::grpc::{ClientLayer, ClientService};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, GrpcMethod, Request, Status};
use tonic_prost::ProstCodec;
use tower::Layer;
use url::Url;

use super::{Answer, Ask, CallError, TIMEOUT};
use crate::errors::{Exit, Fatal};
use crate::faults::NOWHERE;
use crate::inventory::proto::{
    GET_STOCK, GetStockReply, GetStockRequest, RESERVE, ReserveReply, ReserveRequest, SERVICE,
};

/// The inventory behind a channel, and a channel that can't reach it.
#[derive(Debug, Clone)]
pub(super) struct GrpcBackend {
    channel: ClientService<Channel>,
    nowhere: ClientService<Channel>,
}

impl GrpcBackend {
    pub(super) fn new(base: &Url) -> Result<Self, Fatal> {
        Ok(Self {
            channel: channel(base.as_str())?,
            nowhere: channel(NOWHERE)?,
        })
    }

    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, CallError> {
        let Ask { tenant, sku, .. } = ask;
        let channel = match ask.is_reachable {
            true => &self.channel,
            false => &self.nowhere,
        };
        let Some(quantity) = ask.quantity else {
            let request = GetStockRequest { tenant, sku };
            let reply: GetStockReply = call(channel, GET_STOCK, request).await?;
            return Ok(Answer {
                available: reply.available,
                is_enough: true,
            });
        };
        let request = ReserveRequest {
            tenant,
            sku,
            quantity,
        };
        let reply: ReserveReply = call(channel, RESERVE, request).await?;
        Ok(Answer {
            available: reply.available,
            is_enough: reply.reserved,
        })
    }
}

fn channel(address: &str) -> Result<ClientService<Channel>, Fatal> {
    let endpoint = Endpoint::from_shared(address.to_owned())
        .map_err(|error| Fatal::new(Exit::Software, format!("the gRPC client: {error}")))?;
    // Only `rustok-server` calls the inventory, so the inventory trusts the received tenant.
    let layer = ClientLayer::new().server(endpoint.uri()).send_tenant();
    Ok(layer.layer(endpoint.connect_lazy()))
}

/// Calls a method, as generated code does.
async fn call<Q, A>(
    channel: &ClientService<Channel>,
    method: &'static str,
    message: Q,
) -> Result<A, CallError>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    let path = PathAndQuery::try_from(format!("/{SERVICE}/{method}"))
        .map_err(|error| CallError::Unreadable(error.to_string()))?;
    let mut request = Request::new(message);
    request.set_timeout(TIMEOUT);
    request
        .extensions_mut()
        .insert(GrpcMethod::new(SERVICE, method));
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.map_err(|_| CallError::Unreachable)?;
    let reply = grpc.unary(request, path, ProstCodec::<Q, A>::default());
    Ok(reply.await.map_err(error_of)?.into_inner())
}

fn error_of(status: Status) -> CallError {
    match status.code() {
        // tonic's own timeout is the first.
        Code::Cancelled | Code::DeadlineExceeded => CallError::Timeout,
        // The service's own status has no source.
        Code::Unavailable if std::error::Error::source(&status).is_some() => CallError::Unreachable,
        code => CallError::Code(code),
    }
}
