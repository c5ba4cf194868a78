//! Names, labels, log lines and headers come from attackers: they are text in the page, whatever they contain.

use std::net::SocketAddr;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use rustok_telemetry::console::Console;
use rustok_telemetry::http::{TelemetryLayer, health_routes};
use test_fork::fork;
use tokio::net::TcpListener;
use tracing::info_span;

use crate::browser::{Chromium, assert_none};
use crate::scratch::scratch;

const SCRIPT: &str =
    r#""'><script>window.hacked = 1</script><img src=x onerror="window.hacked=1">${`{{"#;

#[fork]
#[test]
#[cfg_attr(
    browser_missing,
    ignore = "needs Chromium and axe-core: run `cargo xtask test`"
)]
fn hostile_text_is_shown_as_text() {
    let telemetry = rustok_telemetry::builder()
        .config(nothing_exported())
        .console(Console::new())
        .init()
        .expect("telemetry starts");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(visit());
    drop(runtime);
    drop(telemetry);
}

fn nothing_exported() -> rustok_telemetry::config::TelemetryConfig {
    rustok_telemetry::config::TelemetryConfig::from_vars([
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_SERVICE_NAME", SCRIPT),
        // The driver of the browser logs in this process too.
        ("RUST_LOG", "info,chromiumoxide=off"),
    ])
    .expect("a configuration")
}

async fn visit() {
    let app = Router::new()
        .route("/hello", get(hello))
        .merge(health_routes())
        .layer(TelemetryLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let url = format!("{origin}/hello");
    let status = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .build()
            .new_agent();
        agent
            .get(&url)
            .header("user-agent", SCRIPT)
            .call()
            .map(|answer| answer.status().as_u16())
    });
    assert_eq!(status.await.expect("no panic").expect("an answer"), 200);

    let folder = scratch("hostile");
    let chromium = Chromium::start(&folder).await;
    let tab = chromium
        .open(&format!("{origin}/api/_health/console"))
        .await;
    let shown = serde_json::Value::from("<script>window.hacked = 1</script>");
    let right_to_left = serde_json::Value::from("\u{202e}gnp.exe");
    for (view, filled) in [
        ("#/", "document.querySelector('.tile')"),
        (
            "#/traces?list=operations",
            "document.querySelector('tbody tr')",
        ),
        ("#/logs", "document.querySelector('li.line')"),
        (
            "#/metrics/rustok_event_bus_published_total",
            "document.querySelector('tbody tr')",
        ),
        ("#/telemetry", "document.querySelector('tbody tr')"),
    ] {
        tab.go(view).await;
        tab.wait(filled).await;
        tab.wait(&format!("document.body.textContent.includes({shown})"))
            .await;
        let wide: bool = tab
            .eval("document.documentElement.scrollWidth > innerWidth")
            .await;
        assert!(!wide, "{view} is wider than the window");
        tab.screenshot(&folder.join(format!(
            "{}.png",
            view.replace(|c: char| !c.is_alphanumeric(), "_")
        )))
        .await;
    }
    tab.go("#/logs").await;
    tab.wait(&format!(
        "document.body.textContent.includes({right_to_left})"
    ))
    .await;
    tab.go("#/traces").await;
    tab.click("tbody a[href^='#/traces/']").await;
    tab.wait("document.querySelector('.attributes')").await;
    let scripts: Vec<String> = tab
        .eval("[...document.querySelectorAll('script')].map(({src}) => new URL(src).pathname)")
        .await;
    assert!(
        scripts
            .iter()
            .all(|path| path.starts_with("/api/_health/console/assets/")),
        "{scripts:?}"
    );
    assert!(
        tab.eval::<bool>("window.hacked === undefined && !document.querySelector('img')")
            .await
    );
    assert_none(&tab.errors());
    chromium.stop().await;
}

/// Records hostile text wherever a service lets text in.
async fn hello(headers: HeaderMap) {
    let agent = headers
        .get("user-agent")
        .and_then(|value| value.to_str().ok());
    let long = SCRIPT.repeat(100_000 / SCRIPT.len() + 1);
    let span = info_span!("operation", otel.name = SCRIPT, agent, long = long.as_str());
    span.in_scope(|| {
        rustok_telemetry::metrics::record_event_published(SCRIPT, "\u{202e}gnp.exe");
        tracing::warn!(agent, "{SCRIPT}");
        tracing::warn!("\u{202e}gnp.exe \u{5d0}\u{5d1}\u{5d2}");
        tracing::warn!("{long}");
    });
}
