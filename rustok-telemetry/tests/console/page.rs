//! The page and its files: where they are served, with which headers.

use std::{fs, net::SocketAddr};

use axum::Router;
use tokio::net::TcpListener;

use crate::{
    service::{PAGE, Service, app, with_console},
    support::text_only,
};

#[tokio::test]
#[test_fork::fork]
async fn a_console_that_is_off_says_how_to_turn_it_on() {
    let telemetry = text_only().init().expect("telemetry starts");
    let service = Service::start().await;
    for path in ["", "/", "/api/state", "/assets/app.js"] {
        let response = service.send(path).await;
        assert_eq!(response.status(), 404);
        let text = response.text().await.expect("a body");
        assert!(text.contains("builder().console(Console::new())"), "{text}");
    }
    drop(telemetry);
}

#[tokio::test]
#[test_fork::fork]
async fn page_and_files_are_served_with_strict_headers() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    for (path, status, content_type, cache) in [
        ("", 200, "text/html; charset=utf-8", "no-store"),
        ("/", 200, "text/html; charset=utf-8", "no-store"),
        (
            "/assets/app.js",
            200,
            "text/javascript; charset=utf-8",
            "no-cache",
        ),
        (
            "/assets/uplot/uPlot.min.css",
            200,
            "text/css; charset=utf-8",
            "no-cache",
        ),
        ("/assets/uplot/LICENSE", 404, "application/json", "no-store"),
        ("/assets/none.js", 404, "application/json", "no-store"),
        ("/assets/../Cargo.toml", 404, "application/json", "no-store"),
        ("/api/state", 200, "application/json", "no-store"),
        ("/api/none", 404, "application/json", "no-store"),
        ("/api/series", 400, "application/json", "no-store"),
        ("/peer/none/api/state", 404, "application/json", "no-store"),
    ] {
        let response = service.send(path).await;
        assert_eq!(response.status(), status, "{path}");
        let headers = response.headers();
        for (name, value) in [
            ("content-type", content_type),
            ("cache-control", cache),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
        ] {
            assert_eq!(headers[name], value, "{path}: {name}");
        }
        assert!(!headers.contains_key("access-control-allow-origin"));
        if path == "/assets/app.js" {
            let request = service.client.get(service.url(&format!("{PAGE}{path}")));
            let again = request
                .header("if-none-match", &headers["etag"])
                .send()
                .await;
            assert_eq!(again.expect("a response").status(), 304);
        }
    }
    let post = service
        .client
        .post(service.url(&format!("{PAGE}/api/state")));
    assert_eq!(post.send().await.expect("a response").status(), 405);
}

/// The page of a router below a prefix finds its files, with and without a slash at its end.
#[tokio::test]
#[test_fork::fork]
async fn the_page_can_be_below_a_prefix() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = Router::new().nest("/shop", app());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for path in ["", "/"] {
        let url = format!("http://{address}/shop{PAGE}{path}");
        let page = reqwest::get(&url).await.expect("a response");
        let base = page.url().clone();
        let text = page.text().await.expect("a page");
        let links = text.split(['"']).filter(|link| link.contains("assets/"));
        let links: Vec<_> = links.map(|link| base.join(link).expect("a link")).collect();
        assert_eq!(links.len(), 5, "{text}");
        for link in links {
            let file = reqwest::get(link.clone()).await.expect("a response");
            assert_eq!(file.status(), 200, "{link}");
        }
    }
}

/// The service needs the threads for blocking tasks itself.
#[tokio::test]
#[test_fork::fork]
async fn many_requests_take_few_threads() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    for number in 0..5_000 {
        drop(tracing::info_span!("work", number).entered());
    }
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let url = service.url(&format!("{PAGE}/api/traces?text=absent"));
        asked.spawn(service.client.get(url).send());
    }
    while let Some(response) = asked.join_next().await {
        let response = response.expect("no panic").expect("a response");
        assert_eq!(response.status(), 200);
    }
    if let Ok(threads) = fs::read_dir("/proc/self/task") {
        let threads = threads.count();
        assert!(threads < 20, "{threads} threads");
    }
}
