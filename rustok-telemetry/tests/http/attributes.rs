//! What of a request's addresses and headers reaches the span, and by which option.

use std::{convert::Infallible, net::SocketAddr};

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use rustok_telemetry::{
    http::{PeerAddress, TelemetryLayer},
    testing::{self, CapturedSpan},
};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{counted, exchange, read, send_http2, serve};

const OPTIONAL: [&str; 4] = [
    "server.address",
    "server.port",
    "client.address",
    "user_agent.original",
];

async fn span_of(layer: TelemetryLayer, uri: &str, headers: &[(&str, &str)]) -> CapturedSpan {
    let telemetry = testing::capture();
    let mut request = Request::get(uri).extension(PeerAddress(([127, 0, 0, 1], 4711).into()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<Bytes>::new()).expect("a request");
    let answer = |_| async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) };
    let service = layer.layer(service_fn(answer));
    service.oneshot(request).await.expect("infallible");
    telemetry.span("GET")
}

#[tokio::test]
async fn the_scheme_is_always_recorded() {
    let layer = TelemetryLayer::new;
    let from_proxy = [("x-forwarded-proto", "https")];
    for (layer, uri, headers, expected) in [
        (layer(), "/", &[][..], "http"),
        (layer(), "https://shop/", &[], "https"),
        (layer(), "http://shop/", &[], "http"),
        (layer().https(), "/", &[], "https"),
        (layer().https(), "http://shop/", &[], "https"),
        (layer(), "/", &from_proxy, "http"),
        (layer().trust_forwarded(1), "/", &from_proxy, "http"),
        (layer().trust_x_forwarded(0), "/", &from_proxy, "http"),
        (layer().trust_x_forwarded(1), "/", &from_proxy, "https"),
        (
            layer().https().trust_x_forwarded(1),
            "/",
            &[("x-forwarded-proto", "http")],
            "http",
        ),
    ] {
        let span = span_of(layer, uri, headers).await;
        span.assert_attribute("url.scheme", expected);
    }
}

#[tokio::test]
async fn addresses_and_headers_are_recorded_on_demand_only() {
    let long = "x".repeat(300);
    let headers = [
        ("host", "shop.example:8443"),
        ("user-agent", &*long),
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.8;host=other.example"),
    ];
    let span = span_of(TelemetryLayer::new(), "/", &headers).await;
    for name in OPTIONAL {
        span.assert_no_attribute(name);
    }
    let all = || {
        let layer = TelemetryLayer::new().server_address();
        layer.client_address().user_agent()
    };
    span_of(all(), "/", &headers)
        .await
        .assert_attribute("server.address", "shop.example")
        .assert_attribute("server.port", 8443)
        .assert_attribute("client.address", "127.0.0.1")
        .assert_attribute("user_agent.original", "x".repeat(256));
    span_of(all().trust_x_forwarded(1), "/", &headers)
        .await
        .assert_attribute("server.address", "shop.example")
        .assert_attribute("client.address", "203.0.113.7");
    span_of(all().trust_forwarded(1), "/", &headers)
        .await
        .assert_attribute("server.address", "other.example")
        .assert_attribute("client.address", "203.0.113.8")
        .assert_no_attribute("server.port");
    // The request itself comes before its header.
    span_of(all(), "http://target.example/", &headers)
        .await
        .assert_attribute("server.address", "target.example")
        .assert_no_attribute("server.port");
    let nothing = span_of(all(), "/", &[]).await;
    nothing.assert_no_attribute("server.address");
    nothing.assert_no_attribute("user_agent.original");
}

#[tokio::test]
async fn each_proxy_appends_an_address() {
    let list = [
        ("x-forwarded-for", "6.6.6.6, 203.0.113.7"),
        ("x-forwarded-for", "10.0.0.2:4711"),
    ];
    for (proxies, expected) in [
        (0, "127.0.0.1"),
        (1, "10.0.0.2"),
        (2, "203.0.113.7"),
        (3, "6.6.6.6"),
        (4, "6.6.6.6"),
    ] {
        let layer = TelemetryLayer::new().client_address();
        let span = span_of(layer.trust_x_forwarded(proxies), "/", &list).await;
        span.assert_attribute("client.address", expected);
    }
}

#[tokio::test]
async fn forwarded_is_read_with_its_quotes() {
    let header =
        "for=192.0.2.1, For=\"[2001:db8::1]:4711\"; Proto=HTTPS;host=\"shop.example:8443\"";
    let layer = || TelemetryLayer::new().client_address().server_address();
    let forwarded = [("forwarded", header)];
    span_of(layer().trust_forwarded(1), "/", &forwarded)
        .await
        .assert_attribute("client.address", "2001:db8::1")
        .assert_attribute("url.scheme", "https")
        .assert_attribute("server.address", "shop.example")
        .assert_attribute("server.port", 8443);
    span_of(layer().trust_forwarded(2), "/", &forwarded)
        .await
        .assert_attribute("client.address", "192.0.2.1")
        .assert_attribute("url.scheme", "http");
}

#[tokio::test]
async fn malformed_addresses_and_schemes_are_not_recorded() {
    let long = "a".repeat(254);
    let headers = [
        ("x-forwarded-for", "unknown"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-host", "no host"),
        ("host", &long),
    ];
    let layer = TelemetryLayer::new().client_address().server_address();
    span_of(layer.trust_x_forwarded(1), "/", &headers)
        .await
        .assert_attribute("client.address", "127.0.0.1")
        .assert_attribute("url.scheme", "http")
        .assert_no_attribute("server.address");
    let headers = [("host", "user:hunter2@[::1]:8080")];
    span_of(TelemetryLayer::new().server_address(), "/", &headers)
        .await
        .assert_attribute("server.address", "::1")
        .assert_attribute("server.port", 8080);
}

#[tokio::test]
async fn axum_tells_the_address_of_the_connection() {
    let telemetry = testing::capture();
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(TelemetryLayer::new().client_address());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let request = "GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    exchange(address, request).await;
    counted(&telemetry, 1.0).await;
    server.abort();
    telemetry
        .span("GET /")
        .assert_attribute("client.address", "127.0.0.1")
        .assert_attribute("url.scheme", "http");
}

#[tokio::test]
async fn http2_tells_the_scheme_and_the_authority() {
    let telemetry = testing::capture();
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(TelemetryLayer::new().server_address());
    let address = serve(app).await;
    let request = Request::get("https://shop.example:8443/");
    let request = request.body(Empty::<Bytes>::new()).expect("a request");
    read(send_http2(address, request).await).await;
    counted(&telemetry, 1.0).await;
    telemetry
        .span("GET /")
        .assert_attribute("url.scheme", "https")
        .assert_attribute("server.address", "shop.example")
        .assert_attribute("server.port", 8443);
}
