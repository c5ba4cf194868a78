//! The inventory over gRPC.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use rustok_telemetry::grpc::ServerLayer;
use rustok_telemetry::instrument;
use tonic::server::Grpc;
use tonic::{Request as Call, Response as Reply, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::key;
use crate::inventory::proto::{
    GET_STOCK, GetStockReply, GetStockRequest, RESERVE, ReserveReply, ReserveRequest, SERVICE,
};
use crate::inventory::stock::Stock;

/// The routes of the service, with a layer of their own.
pub(super) fn routes(stock: Arc<Stock>) -> Router {
    let methods = [GET_STOCK, RESERVE].map(|method| format!("{SERVICE}/{method}"));
    let layer = ServerLayer::new()
        .known_methods(methods.iter().map(String::as_str))
        // Only the catalogue can reach this service.
        .tenant_from_baggage();
    let service = service_fn(move |request| handle(Arc::clone(&stock), request));
    Router::new()
        .route_service(&format!("/{SERVICE}/{{*method}}"), service)
        .layer(layer)
}

async fn handle(
    stock: Arc<Stock>,
    request: Request<Body>,
) -> Result<Response<tonic::body::Body>, Infallible> {
    let method = request.uri().path().rsplit('/').next();
    Ok(match method {
        Some(GET_STOCK) => {
            let handler =
                |call: Call<GetStockRequest>| level(Arc::clone(&stock), call.into_inner());
            let mut grpc = Grpc::new(ProstCodec::<GetStockReply, GetStockRequest>::default());
            grpc.unary(service_fn(handler), request).await
        }
        Some(RESERVE) => {
            let handler =
                |call: Call<ReserveRequest>| reserve(Arc::clone(&stock), call.into_inner());
            let mut grpc = Grpc::new(ProstCodec::<ReserveReply, ReserveRequest>::default());
            grpc.unary(service_fn(handler), request).await
        }
        _ => Status::unimplemented("").into_http(),
    })
}

#[instrument(name = "stock.level", tenant_id = wanted.tenant)]
async fn level(stock: Arc<Stock>, wanted: GetStockRequest) -> Result<Reply<GetStockReply>, Status> {
    check_open(&stock)?;
    let available = stock.available(&key(&wanted.tenant, &wanted.sku));
    Ok(Reply::new(GetStockReply { available }))
}

#[instrument(name = "stock.reserve", tenant_id = wanted.tenant)]
async fn reserve(stock: Arc<Stock>, wanted: ReserveRequest) -> Result<Reply<ReserveReply>, Status> {
    check_open(&stock)?;
    if wanted.quantity < 1 {
        return Err(Status::invalid_argument("quantity: 1 or more"));
    }
    let taken = stock.take(&key(&wanted.tenant, &wanted.sku), wanted.quantity);
    Ok(Reply::new(ReserveReply {
        reserved: taken.is_ok(),
        available: taken.unwrap_or_else(|available| available),
    }))
}

fn check_open(stock: &Stock) -> Result<(), Status> {
    match stock.is_open() {
        true => Ok(()),
        false => Err(Status::unavailable("an outage on purpose")),
    }
}
