//! The inventory service itself: stock levels over HTTP, and over gRPC at the same port.
//!
//! `POST /admin/outage {"seconds": 5}` makes it answer 503 for a while, so that one can see
//! what the catalogue's circuit breaker does about it.

mod grpc;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use rustok_telemetry::http::{TelemetryLayer, health_routes};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::stock::Stock;
use crate::app::{bind, http_url, serve, stop_on_signal};
use crate::cli;
use crate::config::InventoryArgs;
use crate::errors::Fatal;

/// Seconds of an outage at most.
const MAX_OUTAGE: u64 = 60;

/// How much there is of something.
#[derive(Debug, Serialize, Deserialize)]
pub struct Level {
    /// The SKU.
    pub sku: String,
    /// How many can be had.
    pub available: i64,
}

/// A wish to take some.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reservation {
    /// How many.
    pub quantity: i64,
}

/// An outage on purpose.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outage {
    /// How long it lasts.
    pub seconds: u64,
}

/// Runs the service until a signal, or until standard input ends if it was told so.
///
/// # Errors
/// When it can't listen where it should.
pub async fn run(args: InventoryArgs) -> Result<(), Fatal> {
    let listener = bind(args.host, args.port).await?;
    let stop = CancellationToken::new();
    stop_on_signal(&stop)?;
    if args.stop_with_stdin {
        stop_with_stdin(&stop);
    }
    announce(&listener);
    serve(listener, routes(), &stop).await
}

fn routes() -> Router {
    let stock = Arc::new(Stock::default());
    let http = Router::new()
        .route("/stock/{tenant}/{sku}", get(level))
        .route("/stock/{tenant}/{sku}/reservations", post(reserve))
        .route("/admin/outage", post(outage))
        .merge(health_routes())
        // Only the catalogue can reach this service.
        .layer(TelemetryLayer::new().tenant_from_baggage())
        .with_state(Arc::clone(&stock));
    http.merge(grpc::routes(stock))
}

#[rustok_telemetry::instrument(name = "stock.level", tenant_id = tenant)]
async fn level(
    State(stock): State<Arc<Stock>>,
    Path((tenant, sku)): Path<(String, String)>,
) -> Response {
    if !stock.is_open() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let available = stock.available(&key(&tenant, &sku));
    Json(Level { sku, available }).into_response()
}

#[rustok_telemetry::instrument(name = "stock.reserve", tenant_id = tenant)]
async fn reserve(
    State(stock): State<Arc<Stock>>,
    Path((tenant, sku)): Path<(String, String)>,
    Json(wanted): Json<Reservation>,
) -> Response {
    if !stock.is_open() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if wanted.quantity < 1 {
        return (StatusCode::UNPROCESSABLE_ENTITY, "quantity: 1 or more").into_response();
    }
    match stock.take(&key(&tenant, &sku), wanted.quantity) {
        Ok(available) => Json(Level { sku, available }).into_response(),
        Err(available) => (StatusCode::CONFLICT, Json(Level { sku, available })).into_response(),
    }
}

async fn outage(State(stock): State<Arc<Stock>>, Json(wanted): Json<Outage>) -> Response {
    let seconds = wanted.seconds.min(MAX_OUTAGE);
    stock.close_for(Duration::from_secs(seconds));
    tracing::warn!(seconds, "outage on purpose");
    (StatusCode::ACCEPTED, Json(Outage { seconds })).into_response()
}

/// Tenants may use the same SKU for different things.
fn key(tenant: &str, sku: &str) -> String {
    format!("{tenant}/{sku}")
}

fn announce(listener: &TcpListener) {
    if let Ok(address) = listener.local_addr() {
        cli::announce_console("rustok-inventory", http_url(address));
        cli::announce("rustok-inventory", http_url(address));
    }
}

/// Standard input ends when the parent closes it or is gone, whatever became of it. A thread
/// of its own reads it: the runtime would wait for a blocked read before it stops.
fn stop_with_stdin(stop: &CancellationToken) {
    let stop = stop.clone();
    std::thread::spawn(move || {
        let ended = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        tracing::debug!(?ended, "standard input ended");
        stop.cancel();
    });
}
