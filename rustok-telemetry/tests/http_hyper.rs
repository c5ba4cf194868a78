//! The HTTP layer around a plain hyper service, without any framework.
#![cfg(feature = "testing")]

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rustok_telemetry::{
    http::{RouteTemplate, TelemetryLayer},
    testing,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceBuilder;

/// A router by hand: it tells its route on the response.
async fn route(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let found = match request.uri().path() {
        path if path.starts_with("/items/") => Some("/items/{id}"),
        _ => None,
    };
    let body = request.into_body().collect().await;
    let length = body.map_or(0, |body| body.to_bytes().len());
    let mut response = Response::new(Full::from(format!("{length} bytes")));
    match found {
        Some(template) => {
            let route = RouteTemplate(template.into());
            response.extensions_mut().insert(route);
        }
        None => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    Ok(response)
}

async fn exchange(requests: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let service = ServiceBuilder::new()
            .layer(TelemetryLayer::new())
            .service_fn(route);
        auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .await
            .map_err(|error| error.to_string())
    });
    let mut client = TcpStream::connect(address).await.expect("a connection");
    client
        .write_all(requests.as_bytes())
        .await
        .expect("requests");
    let mut answers = String::new();
    let all = client.read_to_string(&mut answers);
    tokio::time::timeout(Duration::from_secs(10), all)
        .await
        .expect("answers in time")
        .expect("text");
    server.await.expect("no panic").expect("served");
    answers
}

#[tokio::test]
async fn a_plain_hyper_service_is_covered() {
    let telemetry = testing::capture();
    let answers = exchange(
        "POST /items/7?token=hunter2 HTTP/1.1\r\nhost: shop\r\ncontent-length: 5\r\n\r\n12345\
         BREWBREWBREWBREWBREWBREWBREWBREWBREW /x HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{answers}");

    let requests = telemetry.metric("rustok_http_requests_total");
    requests.clone().assert_value(2.0);
    requests
        .clone()
        .with("method", "POST")
        .with("path", "/items/{id}")
        .with("status", "200")
        .assert_value(1.0);
    requests
        .with("method", "_OTHER")
        .with("path", "unmatched")
        .with("status", "404")
        .assert_value(1.0);
    telemetry
        .metric("rustok_http_request_size_bytes")
        .with("endpoint", "/items/{id}")
        .assert_value(5.0)
        .assert_count(1);
    telemetry
        .metric("rustok_http_active_connections")
        .assert_value(0.0);
    telemetry
        .span("POST /items/{id}")
        .assert_ok()
        .assert_attribute("http.route", "/items/{id}")
        .assert_attribute("url.path", "/items/7")
        .assert_attribute("http.response.status_code", 200)
        .assert_attribute("network.protocol.version", "1.1")
        .assert_no_attribute("http.request.method_original");
    telemetry
        .span("HTTP")
        .assert_attribute("http.request.method", "_OTHER")
        .assert_attribute(
            "http.request.method_original",
            "BREWBREWBREWBREWBREWBREWBREWBREW",
        );
    telemetry.assert_nowhere("hunter2");
}
