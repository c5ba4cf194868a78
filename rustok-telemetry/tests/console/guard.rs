//! Who may see the console.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, Version},
};
use rustok_telemetry::{console::Console, http::HealthRoutes};
use tower::ServiceExt as _;

use crate::{
    service::{PAGE, app},
    support::{request, text_only},
};

/// A request for a path below the page, and whether it is admitted.
async fn admits(path: &str, peer: Option<&str>, headers: &[(&str, &str)]) -> bool {
    let (status, headers, body) = ask(path, peer, headers).await;
    if !matches!(status, 401 | 403) {
        assert!(matches!(status, 200 | 303), "{status}: {body}");
        return true;
    }
    assert_eq!(headers.contains_key("www-authenticate"), status == 401);
    assert_eq!(body.contains("needs its token"), status == 401, "{body}");
    assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    assert!(headers.contains_key("content-security-policy"));
    assert!(!headers.contains_key("set-cookie"));
    assert!(
        body.lines().count() == 1 && body.starts_with("the console "),
        "{body}"
    );
    assert!(!body.contains("shop"));
    false
}

async fn ask(path: &str, peer: Option<&str>, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
    ask_of(app(), path, peer, headers).await
}

async fn ask_of(
    app: Router,
    path: &str,
    peer: Option<&str>,
    headers: &[(&str, &str)],
) -> (u16, HeaderMap, String) {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let path = format!("{PAGE}{path}");
    let (status, headers, body) = request::ask(app, &path, peer, &headers).await;
    (status.as_u16(), headers, body)
}

const HERE: Option<&str> = Some("127.0.0.1:40000");
const ELSEWHERE: Option<&str> = Some("192.0.2.7:40000");
const OWN: (&str, &str) = ("host", "localhost:5150");

#[tokio::test]
#[test_fork::fork]
async fn only_this_machine_is_answered() {
    let _telemetry = text_only()
        .console(Console::new())
        .init()
        .expect("telemetry starts");
    for path in ["", "/", "/api/state", "/api/traces", "/assets/app.js"] {
        for (peer, headers, expected) in [
            (HERE, &[OWN][..], true),
            (Some("[::1]:1"), &[OWN], true),
            (Some("[::ffff:127.0.0.1]:1"), &[OWN], true),
            (HERE, &[("host", "LOCALHOST:5150")], true),
            (HERE, &[("host", "127.0.0.1")], true),
            (HERE, &[("host", "127.9.9.9:80")], true),
            (HERE, &[("host", "[::1]:5150")], true),
            (HERE, &[("host", "[::ffff:127.0.0.1]")], true),
            // Another machine may have sent the name of this one.
            (None, &[OWN], false),
            (ELSEWHERE, &[OWN], false),
            (Some("[2001:db8::1]:1"), &[OWN], false),
            (HERE, &[], false),
            (HERE, &[("host", "evil.example")], false),
            (HERE, &[("host", "localhost.evil.example")], false),
            (HERE, &[("host", "127.0.0.1.evil.example")], false),
            (HERE, &[("host", "10.0.0.1")], false),
            (HERE, &[("host", "[::2]:1")], false),
            (HERE, &[("host", "[::1")], false),
            (HERE, &[("host", "")], false),
            (None, &[("host", "evil.example")], false),
            (HERE, &[OWN, ("x-forwarded-for", "192.0.2.7")], false),
            (HERE, &[OWN, ("forwarded", "for=192.0.2.7")], false),
            (HERE, &[OWN, ("via", "1.1 proxy")], false),
            (HERE, &[OWN, ("x-forwarded-port", "443")], false),
            (
                HERE,
                &[OWN, ("x-envoy-external-address", "192.0.2.7")],
                false,
            ),
            (HERE, &[OWN, ("host", "evil.example")], false),
            (HERE, &[("host", "localhost:80@evil.example")], false),
            (HERE, &[OWN, ("sec-fetch-site", "same-origin")], true),
            // A link leads to the page; nothing else can be taken from another origin.
            (
                HERE,
                &[OWN, ("sec-fetch-site", "cross-site")],
                path.len() < 2,
            ),
            (
                HERE,
                &[OWN, ("sec-fetch-site", "same-site")],
                path.len() < 2,
            ),
        ] {
            assert_eq!(
                admits(path, peer, headers).await,
                expected,
                "{path} {peer:?} {headers:?}"
            );
        }
    }
}

/// The default of nginx: no header of its own, the `Host` of this machine, HTTP/1.0.
#[tokio::test]
#[test_fork::fork]
async fn a_proxy_that_adds_no_header_is_recognized() {
    let _telemetry = text_only()
        .console(Console::new())
        .init()
        .expect("telemetry starts");
    for (version, expected) in [(Version::HTTP_10, 403), (Version::HTTP_11, 200)] {
        let mut request = Request::get(PAGE)
            .version(version)
            .header("host", "127.0.0.1:5150")
            .body(Body::empty())
            .expect("a request");
        let peer: SocketAddr = "127.0.0.1:1".parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = app().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), expected, "{version:?}");
    }
}

/// The target of a request in absolute form overrides its `Host`.
#[tokio::test]
#[test_fork::fork]
async fn an_absolute_target_must_name_this_machine() {
    let _telemetry = text_only()
        .console(Console::new())
        .init()
        .expect("telemetry starts");
    for (host, expected) in [("evil.example", 403), ("localhost:5150", 200)] {
        let mut request = Request::get(format!("http://{host}{PAGE}"))
            .header("host", "localhost:5150")
            .body(Body::empty())
            .expect("a request");
        let peer: SocketAddr = "127.0.0.1:1".parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = app().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), expected, "{host}");
    }
}

#[tokio::test]
#[test_fork::fork]
async fn an_unknown_peer_is_told_the_remedy() {
    let _telemetry = text_only()
        .console(Console::new())
        .init()
        .expect("telemetry starts");
    let (status, _, body) = ask("", None, &[OWN]).await;
    assert_eq!(status, 403);
    assert!(
        body.contains("into_make_service_with_connect_info::<SocketAddr>()"),
        "{body}"
    );
}

#[tokio::test]
#[test_fork::fork]
async fn other_machines_and_names_can_be_allowed() {
    let console = Console::new()
        .allow_remote(true)
        .allowed_host("shop.internal");
    let _telemetry = text_only()
        .console(console)
        .init()
        .expect("telemetry starts");
    let forwarded = ("x-forwarded-for", "192.0.2.7");
    for (peer, headers, expected) in [
        (ELSEWHERE, &[("host", "shop.internal:443")][..], true),
        (ELSEWHERE, &[("host", "SHOP.internal"), forwarded], true),
        (None, &[("host", "shop.internal")], true),
        (HERE, &[OWN], true),
        (ELSEWHERE, &[("host", "evil.example")], false),
        (ELSEWHERE, &[], false),
    ] {
        assert_eq!(
            admits("/api/state", peer, headers).await,
            expected,
            "{peer:?} {headers:?}"
        );
    }
}

#[tokio::test]
#[test_fork::fork]
async fn an_allowed_name_is_for_known_peers_of_this_machine() {
    let console = Console::new().allowed_host("shop.internal");
    let _telemetry = text_only()
        .console(console)
        .init()
        .expect("telemetry starts");
    let named = [("host", "shop.internal")];
    assert!(admits("/api/state", HERE, &named).await);
    assert!(!admits("/api/state", ELSEWHERE, &named).await);
    assert!(!admits("/api/state", None, &named).await);
}

#[tokio::test]
#[test_fork::fork]
async fn an_empty_token_admits_nobody() {
    let _telemetry = text_only()
        .console(Console::new().bearer_token(""))
        .init()
        .expect("telemetry starts");
    assert!(!admits("/?token=", HERE, &[OWN]).await);
    for header in [
        ("authorization", "Bearer "),
        ("cookie", "rustok-console-5150="),
    ] {
        assert!(!admits("/", HERE, &[OWN, header]).await, "{header:?}");
    }
}

#[tokio::test]
#[test_fork::fork]
async fn a_token_is_required_where_one_is_set() {
    let console = Console::new().bearer_token("s3cret;=é");
    assert!(!format!("{console:?}").contains("s3cret"));
    let _telemetry = text_only()
        .console(console)
        .init()
        .expect("telemetry starts");
    for (path, headers, expected) in [
        ("/api/state", &[OWN][..], false),
        ("", &[OWN], false),
        ("/assets/app.js", &[OWN], false),
        (
            "/api/state",
            &[OWN, ("authorization", "Bearer s3cret")],
            false,
        ),
        (
            "/api/state",
            &[OWN, ("authorization", "Bearer s3cret;=")],
            false,
        ),
        (
            "/api/state",
            &[OWN, ("authorization", "Basic s3cret;=é")],
            false,
        ),
        (
            "/api/state",
            &[OWN, ("authorization", "bearer s3cret;=é")],
            true,
        ),
        ("/?token=", &[OWN], false),
        ("/?token=wrong", &[OWN], false),
        ("/api/state?token=s3cret%3B%3D%C3%A9", &[OWN], false),
        (
            "/api/state",
            &[OWN, ("cookie", "rustok-console-5150=wrong")],
            false,
        ),
        (
            "/api/state",
            &[OWN, ("cookie", "rustok-console-5150=")],
            false,
        ),
    ] {
        assert_eq!(
            admits(path, HERE, headers).await,
            expected,
            "{path} {headers:?}"
        );
    }
    let token = "?token=s3cret%3B%3D%C3%A9";
    for (path, location) in [("", "console"), ("/", "./")] {
        let (status, headers, _) = ask(&format!("{path}{token}"), HERE, &[OWN]).await;
        assert_eq!(
            (status, &headers["location"]),
            (303, &location.parse().expect("a header"))
        );
        let cookie = headers["set-cookie"].to_str().expect("text");
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().expect("a pair");
        assert!(cookie.starts_with("rustok-console-5150=") && !cookie.contains("s3cret"));
        let cookies = format!("other=1; {cookie}");
        assert!(admits("/api/state", HERE, &[OWN, ("cookie", &cookies)]).await);
    }
    // The token is no pass for other machines.
    assert!(!admits(token, ELSEWHERE, &[OWN]).await);
}

/// The token and the networks of the health routes are those of the console, unless it has a token of its own.
#[tokio::test]
#[test_fork::fork]
async fn the_guard_of_the_health_routes_applies() {
    let _telemetry = text_only()
        .console(Console::new())
        .init()
        .expect("telemetry starts");
    let routes = || {
        let health = HealthRoutes::new().bearer_token("s3cret");
        let network = "127.0.0.0/8".parse().expect("a network");
        Router::<()>::new().merge(health.allow_network(network))
    };
    let bearer = ("authorization", "Bearer s3cret");
    for (path, peer, headers, expected) in [
        ("/api/state", HERE, &[OWN][..], 401),
        ("/api/state", HERE, &[OWN, bearer], 200),
        ("/?token=s3cret", HERE, &[OWN], 303),
        ("/api/state?token=s3cret", HERE, &[OWN], 401),
        ("/api/state", Some("[::1]:1"), &[OWN, bearer], 403),
        ("/api/state", None, &[OWN, bearer], 403),
        ("/api/state", HERE, &[("host", "evil.example"), bearer], 403),
    ] {
        let (status, headers, _) = ask_of(routes(), path, peer, headers).await;
        assert_eq!(status, expected, "{path} {peer:?}");
        if let Some(cookie) = headers.get("set-cookie") {
            let cookie = cookie.to_str().expect("text").split(';').next();
            let cookie = ("cookie", cookie.expect("a pair"));
            let (status, ..) = ask_of(routes(), "/api/state", HERE, &[OWN, cookie]).await;
            assert_eq!(status, 200, "{cookie:?}");
        }
    }
}

#[tokio::test]
#[test_fork::fork]
async fn the_token_of_the_console_takes_precedence() {
    let _telemetry = text_only()
        .console(Console::new().bearer_token("own"))
        .init()
        .expect("telemetry starts");
    let routes = || Router::<()>::new().merge(HealthRoutes::new().bearer_token("s3cret"));
    for (token, expected) in [("Bearer s3cret", 401), ("Bearer own", 200)] {
        let headers = [OWN, ("authorization", token)];
        let (status, ..) = ask_of(routes(), "/api/state", HERE, &headers).await;
        assert_eq!(status, expected, "{token}");
    }
}
