//! Every request counts under the template of its route, wherever the layer is; the raw path is in no label.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use http_body_util::BodyExt;
use rustok_telemetry::{
    http::{RouteTemplate, TelemetryLayer},
    testing,
};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::support::counted;

type Files = tower::util::BoxCloneSyncService<Request, Response, Infallible>;

/// A service of another framework, such as tower-http's `ServeDir`.
fn files() -> Files {
    Files::new(service_fn(|_: Request| async {
        Ok(Response::new(Body::from("a file")))
    }))
}

fn telling_files() -> Files {
    Files::new(service_fn(|_: Request| async {
        let mut response = Response::new(Body::from("a file"));
        let route = RouteTemplate("/files/{name}".into());
        response.extensions_mut().insert(route);
        Ok(response)
    }))
}

fn layer() -> TelemetryLayer {
    TelemetryLayer::new()
}

fn users() -> Router {
    Router::new().route("/users/{id}", get(|| async { "a user" }))
}

async fn assert_route<S>(service: S, path: &str, template: &str)
where
    S: Service<Request, Error = Infallible>,
    S::Response: axum::response::IntoResponse,
{
    let telemetry = testing::capture();
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = service.oneshot(request).await.expect("infallible");
    let response = axum::response::IntoResponse::into_response(response);
    response.collect().await.expect("a body");
    let requests = counted(&telemetry, 1.0).await;
    let (route, _) = requests.first().expect("a request");
    assert_eq!(route, template, "{path}");
    let [span] = telemetry.spans().try_into().expect("one span");
    if template == "unmatched" {
        assert_eq!(span.name(), "GET");
        span.assert_no_attribute("http.route");
    } else {
        assert_eq!(span.name(), format!("GET {template}"));
        span.assert_attribute("http.route", template);
    }
}

#[tokio::test]
async fn a_nested_service_counts_under_its_prefix() {
    let nested = |path| Router::new().nest_service(path, files()).layer(layer());
    assert_route(nested("/files"), "/files", "/files").await;
    assert_route(nested("/files"), "/files/", "/files/").await;
    assert_route(nested("/files"), "/files/a/b.txt", "/files").await;
    assert_route(nested("/files/"), "/files/a", "/files").await;
    let path = "/{tenant}/files";
    assert_route(nested(path), "/acme/files/a", path).await;
    assert_route(nested("/files"), "/secrets", "unmatched").await;
    let per_route = Router::new().nest_service("/files", files());
    assert_route(per_route.route_layer(layer()), "/files/a", "/files").await;
    let itself = layer().layer(files());
    let itself = Router::new().nest_service("/files", itself);
    assert_route(itself, "/files/a", "/files").await;
}

#[tokio::test]
async fn a_service_nested_twice_counts_under_the_whole_prefix() {
    let inner = || Router::new().nest_service("/files", files());
    let outside = Router::new().nest("/{tenant}", inner()).layer(layer());
    assert_route(outside, "/acme/files/a", "/{tenant}/files").await;
    let within = Router::new().nest("/{tenant}", inner().layer(layer()));
    assert_route(within, "/acme/files/a", "/{tenant}/files").await;
    let within = Router::new().nest_service("/{tenant}", inner().layer(layer()));
    assert_route(within, "/acme/files/a", "/{tenant}/files").await;
    let outside = Router::new()
        .nest_service("/{tenant}", inner())
        .layer(layer());
    assert_route(outside, "/acme/files/a", "/{tenant}").await;
}

#[tokio::test]
async fn a_nested_router_counts_under_its_routes() {
    let template = "/api/users/{id}";
    let outside = || Router::new().nest("/api", users()).layer(layer());
    let within = || Router::new().nest("/api", users().layer(layer()));
    let service = || Router::new().nest_service("/api", users().layer(layer()));
    assert_route(outside(), "/api/users/7", template).await;
    assert_route(within(), "/api/users/7", template).await;
    assert_route(service(), "/api/users/7", template).await;
    assert_route(outside(), "/api/secrets", "unmatched").await;
    assert_route(service(), "/api/secrets", "/api").await;
    let fallback = || users().fallback(|| async { "nothing" });
    let outside = Router::new().nest("/api", fallback()).layer(layer());
    assert_route(outside, "/api/secrets", "unmatched").await;
    let within = Router::new().nest("/api", fallback().layer(layer()));
    assert_route(within, "/api/secrets", "unmatched").await;
}

#[tokio::test]
async fn services_and_fallbacks_count_as_routes_do() {
    let path = "/static/{*path}";
    let routed = Router::new().route_service(path, files()).layer(layer());
    assert_route(routed, "/static/a/b", path).await;
    let fallback = Router::new().fallback_service(files()).layer(layer());
    assert_route(fallback, "/secrets", "unmatched").await;
    let fallback = users().fallback_service(layer().layer(telling_files()));
    assert_route(fallback, "/files/a", "/files/{name}").await;
}

#[tokio::test]
async fn a_response_tells_more_than_a_prefix() {
    let nested = Router::new()
        .nest_service("/files", telling_files())
        .layer(layer());
    assert_route(nested, "/files/a", "/files/{name}").await;
    // A route that is known is not replaced.
    let routed = Router::new()
        .route_service("/{name}", telling_files())
        .layer(layer());
    assert_route(routed, "/a", "/{name}").await;
}

#[tokio::test]
async fn a_layer_around_a_router_is_told_the_route() {
    async fn tell_route(path: MatchedPath, request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        response.extensions_mut().insert(path);
        response
    }

    let telling = users().route_layer(middleware::from_fn(tell_route));
    let around = layer().axum_body().layer(telling.clone());
    assert_route(around, "/users/7", "/users/{id}").await;
    let around = layer().layer(telling);
    assert_route(around, "/secrets", "unmatched").await;
    let around = layer().axum_body().layer(users());
    assert_route(around, "/users/7", "unmatched").await;
}
