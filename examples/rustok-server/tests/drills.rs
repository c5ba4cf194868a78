//! Each switch of a drill breaks what it says, is seen in the metrics, and mends it again; without `--drills` there is
//! none.

mod common;

use std::time::{Duration, Instant};

use common::Server;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

const FAULTS: [&str; 7] = [
    "errors",
    "latency",
    "full-queue",
    "open-breaker",
    "cold-cache",
    "slow-database",
    "stop",
];

#[tokio::test]
async fn without_the_flag_there_are_no_switches() {
    let server = Server::start(&[]);
    for (method, path) in [
        (Method::GET, "/drills"),
        (Method::PUT, "/drills/errors"),
        (Method::DELETE, "/drills/errors"),
        (Method::PUT, "/drills/stop"),
    ] {
        let answer = send(&server, method, path, None).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let problem: Value = answer.json().await.expect("JSON");
        assert_eq!(problem["detail"], format!("there is no path `{path}`"));
    }
    assert_eq!(list(&server).await, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_switch_lists_the_existing_ones() {
    let server = Server::start(&["--drills"]);
    for method in [Method::PUT, Method::DELETE] {
        let answer = send(&server, method, "/drills/fire", None).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.expect("JSON");
        assert_eq!(problem["code"], "drill_unknown");
        let detail = problem["detail"].as_str().expect("a text");
        assert!(detail.contains(&FAULTS.join(", ")), "{detail}");
    }
    let answer = send(&server, Method::POST, "/drills/errors", None).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_list_shows_active_switches() {
    let server = Server::start(&["--drills"]);
    assert_eq!(on(&server).await, [""; 0]);
    for fault in ["latency", "cold-cache"] {
        switch(&server, Method::PUT, fault).await;
    }
    // Twice is the same as once.
    switch(&server, Method::PUT, "latency").await;
    assert_eq!(on(&server).await, ["latency", "cold-cache"]);
    let text = metrics(&server).await;
    let active = |fault: &str| {
        let series = format!("rustok_server_drills_active{{fault=\"{fault}\"}}");
        value(&text, &series)
    };
    assert_eq!((active("latency"), active("errors")), (1.0, 0.0));
    switch(&server, Method::DELETE, "latency").await;
    assert_eq!(on(&server).await, ["cold-cache"]);
}

/// The page for people on call has a row for each switch, with its alert.
#[tokio::test]
async fn the_list_matches_the_documentation() {
    let server = Server::start(&["--drills"]);
    let answer = send(&server, Method::GET, "/drills", None).await;
    let switches: Vec<Value> = answer.json().await.expect("JSON");
    let page = include_str!("../../../docs/drills.md");
    let (_, table) = page.split_once("## The switches").expect("a heading");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row[1], row[3].split(',').next().unwrap_or_default()))
        .collect();
    let quoted = |text: &Value| format!("`{}`", text.as_str().expect("a text"));
    let wanted: Vec<_> = switches
        .iter()
        .map(|switch| (quoted(&switch["fault"]), quoted(&switch["alert"])))
        .collect();
    let wanted: Vec<_> = wanted.iter().map(|(f, a)| (&**f, &**a)).collect();
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn errors_are_500_and_end() {
    let server = Server::start(&["--drills"]);
    assert_eq!(list(&server).await, StatusCode::OK);
    switch(&server, Method::PUT, "errors").await;
    assert_eq!(list(&server).await, StatusCode::INTERNAL_SERVER_ERROR);
    switch(&server, Method::DELETE, "errors").await;
    assert_eq!(list(&server).await, StatusCode::OK);
    let text = metrics(&server).await;
    let failed = "rustok_http_requests_total{method=\"GET\",path=\"/api/products\",status=\"500\"}";
    assert_eq!(value(&text, failed), 1.0);
    assert!(sum(&text, "rustok_database_query_errors_total{") >= 1.0);
}

#[tokio::test]
async fn latency_is_above_the_objective_and_ends() {
    let server = Server::start(&["--drills"]);
    switch(&server, Method::PUT, "latency").await;
    let began = Instant::now();
    assert_eq!(list(&server).await, StatusCode::OK);
    assert!(began.elapsed() >= Duration::from_millis(700));
    // Neither the health checks nor the switches wait.
    let began = Instant::now();
    metrics(&server).await;
    switch(&server, Method::DELETE, "latency").await;
    assert!(began.elapsed() < Duration::from_millis(700));
    list(&server).await;
    let text = metrics(&server).await;
    let histogram = "rustok_http_request_duration_seconds";
    let labels = "method=\"GET\",path=\"/api/products\"";
    let fast = value(&text, &format!("{histogram}_bucket{{{labels},le=\"0.5\"}}"));
    let all = value(&text, &format!("{histogram}_count{{{labels}}}"));
    assert_eq!((fast, all), (1.0, 2.0));
}

#[tokio::test]
async fn the_queue_is_full_and_is_emptied() {
    let server = Server::start(&["--drills", "--event-queue-capacity", "300"]);
    let depth = "rustok_event_bus_queue_depth{transport=\"in_memory\"}";
    switch(&server, Method::PUT, "full-queue").await;
    until(&server, |text| value(text, depth) == 300.0).await;
    switch(&server, Method::DELETE, "full-queue").await;
    until(&server, |text| value(text, depth) == 0.0).await;
    let published = "rustok_event_bus_published_total{event_type=\"ProductDeleted\"";
    assert!(sum(&metrics(&server).await, published) >= 300.0);
}

#[tokio::test]
async fn the_breaker_opens_and_closes() {
    let server = Server::start(&["--drills"]);
    let tea = json!({ "sku": "TEA", "name": "Tea", "price_cents": 1 });
    let answer = send(&server, Method::POST, "/api/products", Some(tea)).await;
    let product: Value = answer.json().await.expect("JSON");
    let path = format!(
        "/api/products/{}/availability",
        product["id"].as_str().expect("an id")
    );
    let state = "rustok_circuit_breaker_state{service=\"inventory\"}";
    switch(&server, Method::PUT, "open-breaker").await;
    for _ in 0..5 {
        let answer = send(&server, Method::GET, &path, None).await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    }
    let answer = send(&server, Method::GET, &path, None).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(value(&metrics(&server).await, state), 1.0);
    switch(&server, Method::DELETE, "open-breaker").await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while value(&metrics(&server).await, state) != 0.0 {
        assert!(Instant::now() < deadline, "the breaker doesn't close");
        send(&server, Method::GET, &path, None).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn the_cache_misses_and_hits_again() {
    let server = Server::start(&["--drills"]);
    let count = async |result: &str| {
        let labels = "cache=\"tenant_cache\",operation=\"get\"";
        let series = format!("rustok_cache_operations_total{{{labels},result=\"{result}\"}}");
        value(&metrics(&server).await, &series)
    };
    list(&server).await;
    switch(&server, Method::PUT, "cold-cache").await;
    for _ in 0..3 {
        list(&server).await;
    }
    assert_eq!((count("miss").await, count("hit").await), (4.0, 0.0));
    switch(&server, Method::DELETE, "cold-cache").await;
    list(&server).await;
    assert_eq!((count("miss").await, count("hit").await), (4.0, 1.0));
}

#[tokio::test]
async fn queries_are_slow_and_fast_again() {
    let server = Server::start(&["--drills"]);
    switch(&server, Method::PUT, "slow-database").await;
    list(&server).await;
    switch(&server, Method::DELETE, "slow-database").await;
    list(&server).await;
    let text = metrics(&server).await;
    // Nothing but requests reads the tenants.
    let histogram = "rustok_database_query_duration_seconds";
    let labels = "query_type=\"select\",table=\"tenants\"";
    let fast = value(&text, &format!("{histogram}_bucket{{{labels},le=\"0.1\"}}"));
    let all = value(&text, &format!("{histogram}_count{{{labels}}}"));
    assert_eq!((fast, all), (0.0, 1.0));
    let labels = "query_type=\"select\",table=\"products\"";
    let fast = value(&text, &format!("{histogram}_bucket{{{labels},le=\"0.1\"}}"));
    assert!(fast >= 1.0, "{text}");
}

#[tokio::test]
async fn stop_is_graceful_even_with_a_full_queue() {
    let mut server = Server::start(&["--drills", "--event-queue-capacity", "100"]);
    switch(&server, Method::PUT, "full-queue").await;
    let depth = "rustok_event_bus_queue_depth{transport=\"in_memory\"}";
    until(&server, |text| value(text, depth) == 100.0).await;
    let answer = send(&server, Method::PUT, "/drills/stop", None).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let status = server.wait(Duration::from_secs(30));
    assert_eq!(status.code(), Some(0));
}

async fn send(server: &Server, method: Method, path: &str, body: Option<Value>) -> Response {
    let client = reqwest::Client::builder().no_proxy().build();
    let request = client
        .expect("a client")
        .request(method, format!("{}{path}", server.url))
        .header("x-tenant-id", "acme");
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.expect("the service answers")
}

/// A request that reads the tenant and the products.
async fn list(server: &Server) -> StatusCode {
    send(server, Method::GET, "/api/products", None)
        .await
        .status()
}

async fn switch(server: &Server, method: Method, fault: &str) {
    let on = method == Method::PUT;
    let answer = send(server, method, &format!("/drills/{fault}"), None).await;
    assert_eq!(answer.status(), StatusCode::OK, "{fault}");
    let switch: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&switch["fault"], &switch["on"]),
        (&json!(fault), &json!(on))
    );
}

/// The faults that are on.
async fn on(server: &Server) -> Vec<String> {
    let answer = send(server, Method::GET, "/drills", None).await;
    let switches: Vec<Value> = answer.json().await.expect("JSON");
    let names: Vec<_> = switches.iter().map(|switch| &switch["fault"]).collect();
    assert_eq!(names, FAULTS);
    let on = switches.iter().filter(|switch| switch["on"] == true);
    on.filter_map(|switch| Some(switch["fault"].as_str()?.to_owned()))
        .collect()
}

async fn metrics(server: &Server) -> String {
    let answer = send(server, Method::GET, "/api/_health/metrics", None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.expect("text")
}

/// Waits until the metrics are as wanted.
async fn until(server: &Server, wanted: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let text = metrics(server).await;
        if wanted(&text) {
            return;
        }
        assert!(Instant::now() < deadline, "{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The value of a series; 0 if it isn't there.
fn value(text: &str, series: &str) -> f64 {
    sum(text, &format!("{series} "))
}

/// The sum of all lines that begin so.
fn sum(text: &str, start: &str) -> f64 {
    text.lines()
        .filter(|line| line.starts_with(start))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}
