//! The routes of the console: page, files, interface.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
    routing::any,
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH,
        LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    },
    request::Parts,
};
use opentelemetry::TraceId;
use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};

use super::{
    assets, events,
    query::Parameters,
    state::{self, State},
};

/// Path of the page.
pub(super) const PATH: &str = "/api/_health/console";

/// Bytes of a request's body at most.
const MAX_BODY: usize = 4096;

const OFF: &str = "the console is off; start telemetry with rustok_telemetry::builder().console(Console::new()) to turn it on";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the routes.
pub(crate) fn add_to<S>(router: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router
        .route(PATH, any(respond))
        .route("/api/_health/console/", any(respond))
        .route("/api/_health/console/{*path}", any(respond))
}

async fn respond(request: Request) -> Response {
    let mut response = match state::current() {
        None => sentence(StatusCode::NOT_FOUND, OFF),
        Some(state) => {
            let (request, body) = request.into_parts();
            // A router that nests this one removes its prefix.
            let path = request.uri.path();
            let path = path
                .split_once(PATH)
                .map_or("", |(_, path)| path)
                .to_owned();
            match state.settings.admit(&request, matches!(&*path, "" | "/")) {
                Ok(()) => answer(state, &path, &request, body).await,
                Err(refusal) => sentence(StatusCode::FORBIDDEN, refusal),
            }
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(CACHE_CONTROL).or_insert(no_store);
    response
}

async fn answer(state: &'static Arc<State>, path: &str, request: &Parts, body: Body) -> Response {
    if let Some(peer) = path.strip_prefix("/peer/") {
        return of_peer(state, peer, request, body).await;
    }
    if path == "/api/capture" {
        return capture(state, request, body).await;
    }
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return error(StatusCode::METHOD_NOT_ALLOWED, "only GET is possible here");
    }
    if let Some(name) = path.strip_prefix("/assets/") {
        return asset(name, &request.headers);
    }
    match path {
        "" | "/" => page(state, path, request),
        "/api/events" => match events::stream(state) {
            Some(events) => with_type("text/event-stream", events),
            None => sentence(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many pages listen to the console; close one of them",
            ),
        },
        _ => {
            let path = path.to_owned();
            let parameters = Parameters::of(request.uri.query().unwrap_or_default());
            // It may take milliseconds, which the service's own requests do not wait for.
            let answered = tokio::task::spawn_blocking(move || read(state, &path, &parameters));
            match answered.await {
                Ok(Ok(text)) => with_type("application/json", text.into()),
                Ok(Err((status, why))) => error(status, &why),
                Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "the console failed"),
            }
        }
    }
}

/// Reads what is kept, as JSON.
fn read(
    state: &State,
    path: &str,
    parameters: &Parameters,
) -> Result<String, (StatusCode, String)> {
    let invalid = |why| (StatusCode::BAD_REQUEST, why);
    let service = state.resource_attribute("service.name");
    let json = match path {
        "/api/state" => state.overview(),
        "/api/metrics" => state.history().metrics(),
        "/api/series" => {
            let query = parameters.series().map_err(invalid)?;
            return Ok(state.history().values(&query));
        }
        "/api/traces" => {
            let query = parameters.traces().map_err(invalid)?;
            state.traces().list(&query, &service)
        }
        "/api/operations" => state.traces().operations(),
        "/api/logs" => {
            let query = parameters.lines().map_err(invalid)?;
            state.lines().page(&query)
        }
        "/api/telemetry" => state.telemetry(),
        _ => {
            let Some(id) = path.strip_prefix("/api/traces/") else {
                return Err((StatusCode::NOT_FOUND, format!("there is no {path}")));
            };
            let id = TraceId::from_hex(id).unwrap_or(TraceId::INVALID);
            let Some(spans) = state.traces().spans_of(id, &service) else {
                return Err((
                    StatusCode::NOT_FOUND,
                    "no span of this trace is kept".to_owned(),
                ));
            };
            let id = id.to_string();
            let logs = state.lines().of_trace(&id);
            json!({"trace_id": id, "spans": spans, "logs": logs})
        }
    };
    Ok(json.to_string())
}

/// Returns the page; if its address has the token, the same address without it, and a cookie.
fn page(state: &State, path: &str, request: &Parts) -> Response {
    let Some(cookie) = state.settings.cookie(request) else {
        return with_type("text/html; charset=utf-8", assets::INDEX.into());
    };
    let mut response = sentence(StatusCode::SEE_OTHER, "the token is in a cookie now");
    let headers = response.headers_mut();
    let location = match path {
        "" => "console",
        _ => "./",
    };
    headers.insert(LOCATION, HeaderValue::from_static(location));
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

fn asset(name: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = assets::find(name) else {
        return error(StatusCode::NOT_FOUND, "there is no such file");
    };
    let tag = asset.tag();
    let is_known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known == tag.as_str());
    let mut response = with_type(asset.content_type, asset.text.into());
    if is_known {
        *response.body_mut() = Body::empty();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

async fn capture(state: &State, request: &Parts, body: Body) -> Response {
    if let Err(refusal) = posted(request) {
        return refusal;
    }
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let body: Json = serde_json::from_slice(&body).unwrap_or_default();
    let Some(milliseconds) = body["all_spans_for_ms"].as_u64() else {
        return error(
            StatusCode::BAD_REQUEST,
            "the body is {\"all_spans_for_ms\": milliseconds}",
        );
    };
    state.capture_for(Duration::from_millis(milliseconds));
    with_type("application/json", state.capture().to_string().into())
}

/// Refuses what a page of another origin could send.
fn posted(request: &Parts) -> Result<(), Response> {
    let headers = &request.headers;
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_json = is_json.is_some_and(|value| value.split(';').next() == Some("application/json"));
    if request.method != Method::POST {
        Err(error(
            StatusCode::METHOD_NOT_ALLOWED,
            "only POST is possible here",
        ))
    } else if headers.get(OF_PAGE).is_none_or(|value| value != "1") {
        Err(error(
            StatusCode::FORBIDDEN,
            "the header x-rustok-console: 1 is missing",
        ))
    } else if !is_json {
        Err(error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be application/json",
        ))
    } else {
        Ok(())
    }
}

/// A header that pages of other origins cannot send.
const OF_PAGE: HeaderName = HeaderName::from_static("x-rustok-console");

/// Passes a request on to a followed console. `path` is its name and a path of its interface.
async fn of_peer(state: &State, path: &str, request: &Parts, body: Body) -> Response {
    let (name, path) = path.split_once('/').unwrap_or((path, ""));
    let name = percent_decode_str(name).decode_utf8_lossy();
    let peer = state.peers().iter().find(|peer| peer.name == name).cloned();
    let Some(peer) = peer.filter(|_| path.starts_with("api/") && path != "api/events") else {
        return error(
            StatusCode::NOT_FOUND,
            "no such console is followed, or it has no such path",
        );
    };
    let body = match path {
        "api/capture" => match posted(request) {
            Ok(()) => Some(to_bytes(body, MAX_BODY).await.unwrap_or_default()),
            Err(refusal) => return refusal,
        },
        _ => None,
    };
    let query = request
        .uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    let (path, token) = (format!("/{path}{query}"), state.settings.token.as_deref());
    let asked = peer.ask(&path, body, token);
    match asked.await {
        Ok((status, json)) => {
            let mut response = with_type("application/json", json.into());
            *response.status_mut() = status;
            response
        }
        Err(why) => error(StatusCode::BAD_GATEWAY, &why),
    }
}

fn error(status: StatusCode, why: &str) -> Response {
    let mut response = with_type("application/json", json!({"error": why}).to_string().into());
    *response.status_mut() = status;
    response
}

fn sentence(status: StatusCode, text: &str) -> Response {
    let mut response = with_type("text/plain; charset=utf-8", format!("{text}\n").into());
    *response.status_mut() = status;
    response
}

fn with_type(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
