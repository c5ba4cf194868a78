//! A service on a loopback address, with its console.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, extract::Path, routing::get};
use rustok_telemetry::{
    Builder,
    console::Console,
    http::{HealthRoutes, TelemetryLayer},
};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::text_only;

/// Path of the page.
pub(crate) const PAGE: &str = "/api/_health/console";

/// Ample time for what takes a sample of the metrics.
const LIMIT: Duration = Duration::from_secs(20);

/// Telemetry without exporters, with a console.
pub(crate) fn with_console() -> Builder {
    text_only().console(Console::new())
}

pub(crate) fn app() -> Router {
    Router::new()
        .route("/tasks/{task}", get(work))
        .merge(HealthRoutes::new())
        .layer(TelemetryLayer::new())
}

/// Logs, and takes as many milliseconds as its task has letters; fails for `fail`.
async fn work(Path(task): Path<String>) -> axum::http::StatusCode {
    step(&task).await;
    tracing::info!(task, "worked on {task}");
    match task.as_str() {
        "fail" => axum::http::StatusCode::INTERNAL_SERVER_ERROR,
        _ => axum::http::StatusCode::OK,
    }
}

#[rustok_telemetry::instrument(name = "step", record(task), tenant_id = "acme")]
async fn step(task: &str) {
    tracing::debug!("not kept: RUST_LOG is info");
    tracing::warn!(target: "workshop", "tired");
    tokio::time::sleep(Duration::from_millis(task.len() as u64)).await;
}

/// A running service.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) client: reqwest::Client,
}

impl Service {
    /// Serves; telemetry must have been started.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let app = app().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { address, client }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn work(&self, task: &str) {
        let response = self
            .client
            .get(self.url(&format!("/tasks/{task}")))
            .send()
            .await;
        response.expect("a response");
    }

    pub(crate) async fn send(&self, path: &str) -> reqwest::Response {
        let url = self.url(&format!("{PAGE}{path}"));
        self.client.get(url).send().await.expect("a response")
    }

    /// Status and JSON of a path of the interface.
    pub(crate) async fn answer(&self, path: &str) -> (u16, Value) {
        let response = self.send(path).await;
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        let json = serde_json::from_str(&text);
        (
            status,
            json.unwrap_or_else(|error| panic!("{path}: {error}: {text}")),
        )
    }

    /// JSON of a path of the interface.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, json) = self.answer(path).await;
        assert_eq!(status, 200, "{path}: {json:#}");
        json
    }

    /// JSON of a path of the interface, as soon as it is right.
    pub(crate) async fn wait_for(&self, path: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let until = tokio::time::Instant::now() + LIMIT;
        loop {
            let json = self.get(path).await;
            if is_right(&json) {
                return json;
            }
            assert!(tokio::time::Instant::now() < until, "{path}: {json:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Switches "all spans"; returns the status and the answer.
    pub(crate) async fn capture(&self, path: &str, milliseconds: u64) -> (u16, Value) {
        let request = self.client.post(self.url(&format!("{PAGE}{path}")));
        let body = format!("{{\"all_spans_for_ms\":{milliseconds}}}");
        let request = request
            .header("x-rustok-console", "1")
            .header("content-type", "application/json");
        let response = request.body(body).send().await.expect("a response");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        (status, serde_json::from_str(&text).expect("JSON"))
    }
}

/// The keys of an object.
pub(crate) fn keys(json: &Value) -> Vec<&str> {
    let object = json
        .as_object()
        .unwrap_or_else(|| panic!("no object: {json}"));
    object.keys().map(String::as_str).collect()
}

/// The items of an array.
pub(crate) fn items(json: &Value) -> &[Value] {
    json.as_array()
        .unwrap_or_else(|| panic!("no array: {json}"))
}
