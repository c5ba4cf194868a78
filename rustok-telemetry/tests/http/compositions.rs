//! The layer beside other middleware: what compiles with tower-http's `TraceLayer` compiles with it, and counts.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full, Limited};
use rustok_telemetry::{
    http::{AxumTelemetryService, RouteTemplate, TelemetryLayer},
    testing,
};
use tower::{
    Layer, Service, ServiceBuilder, ServiceExt, make::Shared, service_fn, util::BoxCloneSyncService,
};
use tower_http::{
    catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, normalize_path::NormalizePathLayer,
    timeout::TimeoutLayer, trace::TraceLayer,
};

use super::support::{REQUESTS, counted, exchange, serve};

async fn auth(request: Request, next: Next) -> Response {
    next.run(request).await
}

fn router() -> Router {
    Router::new()
        .route("/items/{id}", get(|| async { "an item" }))
        .route("/upload", post(|body: Bytes| async move { body }))
}

/// Sends one request through a service, and asserts that it is counted once.
async fn assert_counts<S>(service: S, path: &str, status: StatusCode)
where
    S: Service<Request, Response: IntoResponse, Error = Infallible>,
{
    let telemetry = testing::capture();
    let request = Request::get("/items/7")
        .body(Body::empty())
        .expect("a request");
    let response = service.oneshot(request).await.expect("infallible");
    let response = response.into_response();
    assert_eq!(response.status(), status);
    response.collect().await.expect("a body");
    let expected = (path.to_owned(), status.as_str().to_owned());
    assert_eq!(counted(&telemetry, 1.0).await, [expected]);
}

async fn assert_counts_item<S>(service: S)
where
    S: Service<Request, Response: IntoResponse, Error = Infallible>,
{
    assert_counts(service, "/items/{id}", StatusCode::OK).await;
}

#[tokio::test]
async fn a_service_builder_takes_the_layer_in_any_order() {
    let before = ServiceBuilder::new()
        .layer(TelemetryLayer::new())
        .layer(middleware::from_fn(auth));
    assert_counts_item(router().layer(before)).await;

    let after = ServiceBuilder::new()
        .layer(middleware::from_fn(auth))
        .layer(TelemetryLayer::new());
    assert_counts_item(router().layer(after)).await;

    let among = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CatchPanicLayer::new())
        .layer(TelemetryLayer::new())
        .layer(TraceLayer::new_for_http())
        .layer(timeout())
        .layer(middleware::from_fn(auth));
    assert_counts_item(router().layer(among)).await;

    // These answer themselves, with a body that they make.
    let answering = ServiceBuilder::new()
        .layer(timeout())
        .layer(TelemetryLayer::new())
        .layer(timeout());
    assert_counts_item(router().layer(answering)).await;

    let optional = ServiceBuilder::new()
        .option_layer(Some(TelemetryLayer::new().axum_body()))
        .layer(middleware::from_fn(auth));
    assert_counts_item(router().layer(optional)).await;

    let twice = ServiceBuilder::new()
        .layer(middleware::from_fn(auth))
        .layer(TelemetryLayer::new())
        .layer(middleware::from_fn(auth));
    assert_counts_item(router().layer(twice)).await;

    // Without a router, a route is told by nobody.
    let service = ServiceBuilder::new()
        .layer(middleware::from_fn(auth))
        .layer(TelemetryLayer::new())
        .layer(middleware::from_fn(auth))
        .service(router());
    assert_counts(service, "unmatched", StatusCode::OK).await;
}

#[tokio::test]
async fn a_router_takes_the_layer_everywhere() {
    let layer = TelemetryLayer::new;
    assert_counts_item(router().layer(layer())).await;
    assert_counts_item(router().layer(layer()).layer(middleware::from_fn(auth))).await;
    assert_counts_item(router().layer(middleware::from_fn(auth)).layer(layer())).await;
    assert_counts_item(router().route_layer(layer())).await;
    let handler = get(|| async { "an item" }).layer(layer());
    assert_counts_item(Router::new().route("/items/{id}", handler)).await;
    let items = || Router::new().route("/{id}", get(|| async { "an item" }));
    assert_counts_item(Router::new().nest("/items", items().layer(layer()))).await;
    assert_counts_item(Router::new().nest("/items", items()).layer(layer())).await;
    assert_counts_item(Router::new().merge(router().layer(layer()))).await;
    let told = layer().layer(service_fn(tell_route));
    assert_counts_item(Router::new().fallback_service(told.clone())).await;
    assert_counts_item(Router::new().route_service("/items/{id}", told)).await;
    let nobody = Router::new().fallback(|| async { StatusCode::NOT_FOUND });
    assert_counts(nobody.layer(layer()), "unmatched", StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn a_boxed_service_keeps_its_type() {
    let layered = TelemetryLayer::new().layer(router());
    let boxed: BoxCloneSyncService<Request, Response, Infallible> = BoxCloneSyncService::new(
        ServiceExt::<Request>::map_response(layered, IntoResponse::into_response),
    );
    assert_counts(boxed, "unmatched", StatusCode::OK).await;
    let layered = TelemetryLayer::new().axum_body().layer(router());
    let boxed: BoxCloneSyncService<Request, Response, Infallible> =
        BoxCloneSyncService::new(layered);
    let around = TelemetryLayer::new().layer(service_fn(tell_route));
    assert_counts_item(around).await;
    assert_counts(boxed, "unmatched", StatusCode::OK).await;
}

#[tokio::test]
async fn axum_serves_the_layer_around_a_whole_router() {
    let telemetry = testing::capture();
    fn layered() -> AxumTelemetryService<Router> {
        TelemetryLayer::new().axum_body().layer(router())
    }

    let rewriting = ServiceBuilder::new()
        .layer(NormalizePathLayer::trim_trailing_slash())
        .layer(TelemetryLayer::new().axum_body())
        .layer(timeout())
        .service(router());
    let answers = [
        answer(|listener| async { axum::serve(listener, Shared::new(layered())).await }).await,
        answer(|listener| async {
            {
                let service = axum::ServiceExt::<Request>::into_make_service(layered());
                axum::serve(listener, service).await
            }
        })
        .await,
        answer(|listener| async {
            let service = axum::ServiceExt::<Request>::into_make_service_with_connect_info::<
                SocketAddr,
            >(layered());
            axum::serve(listener, service).await
        })
        .await,
        answer(|listener| async {
            let service = axum::ServiceExt::<Request>::into_make_service(rewriting);
            axum::serve(listener, service).await
        })
        .await,
    ];
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.ends_with("an item"), "{answer}");
    }
    counted(&telemetry, 4.0).await;
    telemetry
        .metric(REQUESTS)
        .with("status", "200")
        .assert_value(4.0);
}

#[tokio::test]
async fn a_hyper_service_keeps_its_bodies() {
    let telemetry = testing::capture();
    // The body's type is that of the connection, and what is behind it may wrap it.
    let service = ServiceBuilder::new()
        .layer(TelemetryLayer::new())
        .map_request(|request: http::Request<hyper::body::Incoming>| {
            request.map(|body| Limited::new(body, 1_000))
        })
        .layer(TelemetryLayer::new())
        .service_fn(
            |request: http::Request<Limited<hyper::body::Incoming>>| async {
                let body = request.into_body().collect().await;
                let body = body.map(|body| body.to_bytes()).unwrap_or_default();
                Ok::<_, Infallible>(http::Response::new(Full::new(body)))
            },
        );
    let address = serve(service).await;
    let request =
        "POST / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-length: 5\r\n\r\n12345";
    let answer = exchange(address, request).await;
    assert!(answer.ends_with("12345"), "{answer}");
    counted(&telemetry, 2.0).await;
    telemetry
        .metric("rustok_http_request_size_bytes")
        .assert_value(10.0)
        .assert_count(2);
}

/// A request's size is what was read of an axum body, what was announced of any other, and no size otherwise.
#[tokio::test]
async fn request_sizes_are_those_that_are_known() {
    const SIZE: &str = "rustok_http_request_size_bytes";
    const CHUNKED: &str = "POST /upload HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\
        transfer-encoding: chunked\r\n\r\n5\r\n12345\r\n3\r\n678\r\n0\r\n\r\n";
    const ANNOUNCED: &str = "POST /upload HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\
        content-length: 8\r\n\r\n12345678";
    const NOTHING: &str = "POST /upload HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    for (request, of_axum, of_hyper) in [
        (CHUNKED, Some(8.0), None),
        (ANNOUNCED, Some(8.0), Some(8.0)),
        (NOTHING, Some(0.0), Some(0.0)),
    ] {
        let telemetry = testing::capture();
        let address = serve(router().layer(TelemetryLayer::new())).await;
        exchange(address, request).await;
        counted(&telemetry, 1.0).await;
        let size = telemetry.metric(SIZE);
        assert_eq!((size.count() == 1).then(|| size.value()), of_axum);

        let telemetry = testing::capture();
        let service = ServiceBuilder::new()
            .layer(TelemetryLayer::new())
            .service_fn(|request: http::Request<hyper::body::Incoming>| async {
                let body = request.into_body().collect().await.expect("a body");
                Ok::<_, Infallible>(http::Response::new(Full::new(body.to_bytes())))
            });
        exchange(serve(service).await, request).await;
        counted(&telemetry, 1.0).await;
        let size = telemetry.metric(SIZE);
        assert_eq!((size.count() == 1).then(|| size.value()), of_hyper);
    }
}

#[tokio::test]
async fn a_limit_outside_of_the_layer_answers_413() {
    let telemetry = testing::capture();
    let limited = ServiceBuilder::new()
        .layer(RequestBodyLimitLayer::new(4))
        .layer(TelemetryLayer::new());
    let address = serve(router().layer(limited)).await;
    let request = "POST /upload HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\
        transfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n";
    let answer = exchange(address, request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let expected = ("/upload".to_owned(), "413".to_owned());
    assert_eq!(counted(&telemetry, 1.0).await, [expected]);
}

async fn tell_route<B>(_: http::Request<B>) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let mut response = http::Response::new(Full::from("an item"));
    let route = RouteTemplate("/items/{id}".into());
    response.extensions_mut().insert(route);
    Ok(response)
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(5))
}

/// What a server answers to one request.
async fn answer<F>(server: impl FnOnce(tokio::net::TcpListener) -> F) -> String
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(server(listener));
    let request = "GET /items/7 HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    let answer = exchange(address, request).await;
    server.abort();
    answer
}
