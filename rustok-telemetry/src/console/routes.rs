//! The routes of the console: page, files, interface.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
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
use tokio::sync::Semaphore;

use super::{
    assets, events,
    query::Parameters,
    state::{self, State},
};
use crate::{access::Access, config::Token, prometheus::response::denied};

/// Path of the page.
pub(super) const PATH: &str = "/api/_health/console";

/// Concurrent reads of what is kept. They wait for the same locks, and more would occupy the threads that the service needs
/// for its own blocking tasks.
static READS: Semaphore = Semaphore::const_new(4);

/// Bytes of a request's body at most.
const MAX_BODY: usize = 4096;

const OFF: &str = "the console is off; start telemetry with rustok_telemetry::builder().console(Console::new()) to turn it on";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the routes.
pub(crate) fn add_to<S>(router: Router<S>, access: &Arc<Access>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let access = Arc::clone(access);
    let respond = any(move |request: Request| async move { respond(&access, request).await });
    router
        .route(PATH, respond.clone())
        .route("/api/_health/console/", respond.clone())
        .route("/api/_health/console/{*path}", respond)
}

async fn respond(access: &Access, request: Request) -> Response {
    let mut response = match state::current() {
        None => sentence(StatusCode::NOT_FOUND, OFF),
        Some(state) => admitted(state, access, request).await,
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

async fn admitted(state: &'static Arc<State>, access: &Access, request: Request) -> Response {
    let (request, body) = request.into_parts();
    // A router that nests this one removes its prefix.
    let path = request.uri.path().split_once(PATH);
    let path = path.map_or("", |(_, path)| path);
    let is_page = matches!(path, "" | "/");
    if let Err((reason, refusal)) = state.settings.admit(access, &request, is_page) {
        return denied(reason, refusal).map(Body::from);
    }
    match path.strip_prefix("/peer/") {
        Some(peer) => of_peer(state, state.settings.token(access), peer, &request, body).await,
        None => answer(state, access, path, &request, body).await,
    }
}

async fn answer(
    state: &'static Arc<State>,
    access: &Access,
    path: &str,
    request: &Parts,
    body: Body,
) -> Response {
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
        "" | "/" => page(state, access, path, request),
        "/api/events" => match events::stream(state) {
            Some(events) => ([(CONTENT_TYPE, "text/event-stream")], events).into_response(),
            None => sentence(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many pages listen to the console; close one of them",
            ),
        },
        _ => {
            let asked = request.uri.query().unwrap_or_default().to_owned();
            if let Some(answer) = state.answers().of(path, &asked) {
                return json(answer);
            }
            let path = path.to_owned();
            // The semaphore is never closed. A request that is cancelled while it waits reads nothing.
            let place = READS.acquire().await;
            // It may take milliseconds, which the service's own requests do not wait for.
            let answered = tokio::task::spawn_blocking(move || {
                let _place = place;
                let tick = state.last_tick();
                let answer = read(state, &path, &Parameters::of(&asked))?;
                state.answers().keep(tick, &path, asked, &answer);
                Ok::<_, (StatusCode, String)>(answer)
            });
            match answered.await {
                Ok(Ok(text)) => json(text),
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
        "/api/metrics" => state.history().list(),
        "/api/series" => {
            let query = parameters.series().map_err(invalid)?;
            return state.history().values(&query).map_err(invalid);
        }
        "/api/exemplars" => state.history().exemplars(parameters.text("metric")),
        "/api/traces" => {
            let query = parameters.traces().map_err(invalid)?;
            state.spans.sorted().list(&query, &service)
        }
        "/api/operations" => state.spans.sorted().operations(),
        "/api/logs" => {
            let query = parameters.lines().map_err(invalid)?;
            state.lines.sorted().page(&query)
        }
        "/api/telemetry" => state.telemetry(),
        _ => {
            let Some(id) = path.strip_prefix("/api/traces/") else {
                return Err((StatusCode::NOT_FOUND, format!("there is no {path}")));
            };
            let id = TraceId::from_hex(id).unwrap_or(TraceId::INVALID);
            let Some(spans) = state.spans.sorted().spans_of(id, &service) else {
                return Err((
                    StatusCode::NOT_FOUND,
                    "no span of this trace is kept".to_owned(),
                ));
            };
            let logs = state.lines.sorted().of_trace(id);
            json!({"trace_id": id.to_string(), "spans": spans, "logs": logs})
        }
    };
    Ok(json.to_string())
}

/// Returns the page; if its address has the token, the same address without it, and a cookie.
fn page(state: &State, access: &Access, path: &str, request: &Parts) -> Response {
    let Some(cookie) = state.settings.cookie(access, request) else {
        let page = assets::index(path);
        return ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    };
    let location = match path {
        "" => "console",
        _ => "./",
    };
    let headers = [(LOCATION, location), (SET_COOKIE, &cookie)];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn asset(name: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = assets::find(name) else {
        return error(StatusCode::NOT_FOUND, "there is no such file");
    };
    let tag = asset.tag();
    let mine = [
        (CACHE_CONTROL, "no-cache"),
        (ETAG, &tag),
        (CONTENT_TYPE, asset.content_type),
    ];
    match headers.get(IF_NONE_MATCH) {
        Some(known) if known == tag.as_str() => (StatusCode::NOT_MODIFIED, mine).into_response(),
        _ => (mine, asset.text).into_response(),
    }
}

async fn capture(state: &State, request: &Parts, body: Body) -> Response {
    let body = match posted(request, body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let body: Json = serde_json::from_slice(&body).unwrap_or_default();
    let Some(milliseconds) = body["all_spans_for_ms"].as_u64() else {
        let why = "the body is {\"all_spans_for_ms\": milliseconds}";
        return error(StatusCode::BAD_REQUEST, why);
    };
    state.capture_for(Duration::from_millis(milliseconds));
    json(state.capture().to_string())
}

/// A header that pages of other origins cannot send.
pub(super) const OF_PAGE: HeaderName = HeaderName::from_static("x-rustok-console");

/// Returns the body of a request; refuses what a page of another origin could send.
async fn posted(request: &Parts, body: Body) -> Result<Bytes, Response> {
    let headers = &request.headers;
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let content_type = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
    let (status, why) = if request.method != Method::POST {
        (StatusCode::METHOD_NOT_ALLOWED, "only POST is possible here")
    } else if headers.get(OF_PAGE).is_none_or(|value| value != "1") {
        (
            StatusCode::FORBIDDEN,
            "the header x-rustok-console: 1 is missing",
        )
    } else if content_type != Some(b"application/json") {
        (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be application/json",
        )
    } else {
        return Ok(to_bytes(body, MAX_BODY).await.unwrap_or_default());
    };
    Err(error(status, why))
}

/// Passes a request on to a followed console. `path` is its name and a path of its interface.
async fn of_peer(
    state: &State,
    token: Option<&Token>,
    path: &str,
    request: &Parts,
    body: Body,
) -> Response {
    let (name, path) = path.split_once('/').unwrap_or((path, ""));
    let name = percent_decode_str(name).decode_utf8_lossy();
    let peer = state.peers().iter().find(|peer| peer.name == name).cloned();
    let Some(peer) = peer.filter(|_| path.starts_with("api/") && path != "api/events") else {
        let why = "no such console is followed, or it has no such path";
        return error(StatusCode::NOT_FOUND, why);
    };
    let body = match path {
        "api/capture" => match posted(request, body).await {
            Ok(body) => Some(body),
            Err(refusal) => return refusal,
        },
        _ => None,
    };
    let query = request
        .uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    let token = token.map(Token::as_str);
    match peer.ask(&format!("/{path}{query}"), body, token).await {
        Ok((status, text)) => (status, json(text)).into_response(),
        Err(why) => error(StatusCode::BAD_GATEWAY, &why),
    }
}

fn json(text: impl IntoResponse) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

fn error(status: StatusCode, why: &str) -> Response {
    (status, json(json!({"error": why}).to_string())).into_response()
}

fn sentence(status: StatusCode, text: &str) -> Response {
    (status, format!("{text}\n")).into_response()
}
