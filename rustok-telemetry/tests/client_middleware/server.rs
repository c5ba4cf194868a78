//! A server with an answer for every occasion, and the client that asks it.

use std::time::Duration;

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Redirect,
    routing::{any, get},
};
use reqwest_middleware::reqwest::Client;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use rustok_telemetry::{
    http::{TelemetryLayer, client::TelemetryMiddleware},
    tenant,
};
use tokio::net::TcpListener;

/// Serves on this thread, until the test ends. Gives the address.
pub(crate) async fn serve() -> String {
    let app = Router::new()
        .route("/echo/{id}", any(traceparent))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/never", get(std::future::pending::<()>))
        .route("/moved", get(|| async { Redirect::temporary("/echo/1") }))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route(
            "/tenant",
            get(|| async { tenant::label().to_string() })
                .layer(TelemetryLayer::new().tenant_from_baggage()),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address.to_string()
}

async fn traceparent(headers: HeaderMap) -> String {
    let header = headers.get("traceparent");
    let text = header.map(|header| header.to_str().expect("text"));
    text.unwrap_or_default().to_owned()
}

pub(crate) fn client() -> ClientWithMiddleware {
    with(TelemetryMiddleware::new()).build()
}

pub(crate) fn with(middleware: TelemetryMiddleware) -> ClientBuilder {
    let client = Client::builder()
        .no_proxy()
        .timeout(Duration::from_millis(300))
        .redirect(reqwest_middleware::reqwest::redirect::Policy::limited(2))
        .build()
        .expect("a client");
    ClientBuilder::new(client).with(middleware)
}
