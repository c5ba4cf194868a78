//! Requests to the health routes and to the console, behind the HTTP layer: paths, parameters, `Host`, `Accept`,
//! cookies, and JSON. The first line of an input is the method and the address, then follow headers, an empty line and
//! the body.
#![no_main]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str,
    sync::{LazyLock, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HOST},
};
use libfuzzer_sys::{Corpus, fuzz_target};
use rustok_telemetry::{Telemetry, config::TelemetryConfig, console::Console, http::TelemetryLayer};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

struct Server {
    router: Mutex<Router>,
    runtime: Runtime,
    _telemetry: Telemetry,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let config = TelemetryConfig::from_vars([
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ]);
    let telemetry = rustok_telemetry::builder()
        .config(config.expect("valid"))
        .console(Console::new())
        .init()
        .expect("telemetry starts");
    for order in 0..8_u32 {
        let span = tracing::info_span!("order", tenant_id = "acme", order).entered();
        tracing::info!(order, "paid");
        drop(span);
    }
    let layer = TelemetryLayer::new().client_address().user_agent();
    let layer = layer.server_address().trust_forwarded(1).tenant_from_baggage();
    let routes = rustok_telemetry::http::health_routes();
    let runtime = Builder::new_current_thread().enable_all().build();
    Server {
        router: Mutex::new(routes.layer(layer)),
        runtime: runtime.expect("a runtime"),
        _telemetry: telemetry,
    }
});

fuzz_target!(|input: &[u8]| -> Corpus {
    match parse(input) {
        Some(request) => {
            check(request);
            Corpus::Keep
        }
        None => Corpus::Reject,
    }
});

/// Returns the request that an HTTP server would accept.
fn parse(input: &[u8]) -> Option<Request> {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = input.split_at(end.unwrap_or(input.len()));
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, address) = str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let request = Request::builder().method(method).uri(address);
    let body = body.get(2..).unwrap_or_default().to_vec();
    let mut request = request.body(Body::from(body)).ok()?;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1234));
    request.extensions_mut().insert(ConnectInfo(peer));
    Some(request)
}

fn check(request: Request) {
    let path = request.uri().path().to_owned();
    let is_console = path.starts_with("/api/_health/console");
    let in_headers = request.headers().get_all(HOST).iter();
    let in_address = request.uri().authority().map(|host| host.as_str().as_bytes());
    let hosts = in_headers.map(HeaderValue::as_bytes).chain(in_address);
    let mut hosts = hosts.map(is_this_machine).peekable();
    let names_this_machine = hosts.peek().is_some() && hosts.all(|it| it);
    let router = SERVER.router.lock().expect("no panic").clone();
    SERVER.runtime.block_on(async {
        let response = router.oneshot(request).await.expect("infallible");
        let status = response.status();
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(!is_console || names_this_machine || !status.is_success(), "{path}");
        let header = |name| response.headers().get(name).map(HeaderValue::as_bytes);
        let is_json = header(CONTENT_TYPE).is_some_and(|it| it.starts_with(b"application/json"));
        let is_encoded = header(CONTENT_ENCODING).is_some();
        if is_json && !is_encoded {
            let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            let json = serde_json::from_slice::<serde_json::Value>(&body);
            assert!(body.is_empty() || json.is_ok(), "{path} {json:?}");
        }
    });
}

/// Returns whether a `Host` names this machine: `localhost` or a loopback address.
fn is_this_machine(host: &[u8]) -> bool {
    let Ok(host) = str::from_utf8(host) else {
        return false;
    };
    let host = host.rsplit('@').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    let address = name.parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|it| it.to_canonical().is_loopback())
}
