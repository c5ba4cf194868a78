//! The HTTP metrics of OpenTelemetry's conventions.

use std::{collections::BTreeMap, convert::Infallible, future::pending, time::Duration};

use axum::{Router, http::StatusCode, response::IntoResponse, routing::get};
use futures::stream;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use reqwest_middleware::{ClientBuilder, reqwest::Client};
use rustok_telemetry::http::{TelemetryLayer, client::TelemetryMiddleware};
use tokio::net::TcpListener;

use crate::{
    export, exported, exporting,
    receiver::Receiver,
    support::{samples, text, text_only, valid_text::assert_valid},
};

async fn serve() -> String {
    let events = || async {
        let events = ["data: 1\n\n", "data: 2\n\n"].map(Ok::<_, Infallible>);
        let body = axum::body::Body::from_stream(stream::iter(events));
        ([("content-type", "text/event-stream")], body).into_response()
    };
    let app = Router::new()
        .route(
            "/items/{id}",
            get(|| async { "an item" }).post(|_: String| async {}),
        )
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/never", get(pending::<()>))
        .route("/events", get(events))
        .layer(TelemetryLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address.to_string()
}

/// Sends requests that end in every way.
async fn send_requests() -> String {
    let address = serve().await;
    let client = Client::builder()
        .no_proxy()
        .timeout(Duration::from_millis(300))
        .build()
        .expect("a client");
    let client = ClientBuilder::new(client)
        .with(TelemetryMiddleware::new())
        .build();
    let url = |path: &str| format!("http://{address}{path}");
    for path in ["/items/1", "/items/2", "/broken", "/nowhere", "/events"] {
        let response = client.get(url(path)).send().await.expect("a response");
        response.bytes().await.expect("a body");
    }
    let post = client.post(url("/items/3")).body("12345");
    post.send().await.expect("a response");
    client
        .get(url("/never"))
        .send()
        .await
        .expect_err("a timeout");
    let refused = client.get("http://127.0.0.1:1/").send().await;
    refused.expect_err("nothing listens");
    // The server notices later that the client has gone.
    for _ in 0..200 {
        if text().contains(
            "\nhttp_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 0\n",
        ) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn requests_have_the_attributes_of_the_conventions() {
    let receiver = Receiver::start();
    let telemetry = exporting(&receiver, "cumulative")
        .with_semantic_http_metrics()
        .init()
        .expect("telemetry starts");
    let address = send_requests().await;
    let text = text();
    assert_valid(&text);
    let server = |method: &str, rest: &str| {
        format!(
            "{{http_request_method=\"{method}\",{rest}network_protocol_version=\"1.1\",url_scheme=\"http\"}}"
        )
    };
    let counts = samples(&text, "http_server_request_duration_seconds_count");
    let labels = |route: &str, status: &str| {
        let route = format!("http_response_status_code=\"{status}\",http_route=\"{route}\",");
        server("GET", &route)
    };
    // Labels are ordered by their names.
    let broken = format!("{{error_type=\"502\",{}", &labels("/broken", "502")[1..]);
    let expected = BTreeMap::from([
        (labels("/items/{id}", "200"), "2".to_owned()),
        (
            server(
                "POST",
                "http_response_status_code=\"200\",http_route=\"/items/{id}\",",
            ),
            "1".to_owned(),
        ),
        (broken, "1".to_owned()),
        (
            server("GET", "http_response_status_code=\"404\","),
            "1".to_owned(),
        ),
        (labels("/events", "200"), "1".to_owned()),
        (server("GET", "http_route=\"/never\","), "1".to_owned()),
    ]);
    assert_eq!(counts, expected);
    let posted = server(
        "POST",
        "http_response_status_code=\"200\",http_route=\"/items/{id}\",",
    );
    let received = samples(&text, "http_server_request_body_size_bytes_sum");
    assert_eq!(received[&posted], "5");
    let sent = samples(&text, "http_server_response_body_size_bytes_sum");
    assert_eq!(sent[&labels("/items/{id}", "200")], "14");
    assert!(text.contains("# TYPE http_server_active_requests gauge\n"));
    assert!(
        text.contains("url_scheme=\"http\",le=\"0.005\"} "),
        "{text}"
    );
    assert!(
        !text.contains("url_scheme=\"http\",le=\"0.0025\"} "),
        "{text}"
    );

    let (host, port) = address.split_once(':').expect("host and port");
    let client = |start: &str, middle: &str, port: &str| {
        format!(
            "{{{start}http_request_method=\"GET\",{middle}server_address=\"{host}\",server_port=\"{port}\"}}"
        )
    };
    let version = "network_protocol_version=\"1.1\",";
    let answered = |status: &str| format!("http_response_status_code=\"{status}\",{version}");
    let counts = samples(&text, "http_client_request_duration_seconds_count");
    for (series, count) in [
        (client("", &answered("200"), port), "3"),
        (client("error_type=\"502\",", &answered("502"), port), "1"),
        (client("error_type=\"404\",", &answered("404"), port), "1"),
        (client("error_type=\"timeout\",", "", port), "1"),
        (client("error_type=\"connect\",", "", "1"), "1"),
    ] {
        assert_eq!(
            counts.get(&series).map(String::as_str),
            Some(count),
            "{series}: {counts:#?}"
        );
    }

    let request = export(&telemetry, &receiver);
    let of_export = exported(&request, "http.server.request.duration");
    assert_eq!(
        of_export[&format!(
            "http.server.request.duration_count{}",
            labels("/items/{id}", "200")
        )],
        2.0
    );
    let metrics = request.metrics();
    let unit = |name: &str| {
        let metric = metrics.iter().find(|metric| metric.name == name);
        metric.map(|metric| &*metric.unit)
    };
    for (name, expected) in [
        ("http.server.request.duration", "s"),
        ("http.server.request.body.size", "By"),
        ("http.server.response.body.size", "By"),
        ("http.server.active_requests", "{request}"),
        ("http.client.request.duration", "s"),
        ("http.client.request.body.size", "By"),
        ("http.client.response.body.size", "By"),
    ] {
        assert_eq!(unit(name), Some(expected), "{name}");
    }
    let mut durations = metrics.iter();
    let duration = durations.find(|metric| metric.name == "http.server.request.duration");
    let Some(Data::Histogram(duration)) = duration.and_then(|metric| metric.data.clone()) else {
        panic!("no histogram");
    };
    let boundaries = [
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ];
    assert_eq!(duration.data_points[0].explicit_bounds, boundaries);
    let _ = telemetry.shutdown();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn by_default_they_are_not_recorded() {
    let telemetry = text_only().init().expect("telemetry starts");
    let address = serve().await;
    let client = ClientBuilder::new(Client::builder().no_proxy().build().expect("a client"));
    let client = client.with(TelemetryMiddleware::new()).build();
    let url = format!("http://{address}/items/1");
    client.get(url).send().await.expect("a response");
    let text = text();
    assert!(!text.contains("\nhttp_"), "{text}");
    let _ = telemetry.shutdown();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn hosts_beyond_the_budget_are_folded() {
    let telemetry = text_only()
        .with_semantic_http_metrics()
        .init()
        .expect("telemetry starts");
    let client = Client::builder().no_proxy().build().expect("a client");
    let client = ClientBuilder::new(client)
        .with(TelemetryMiddleware::new())
        .build();
    for host in 0..110 {
        let url = format!("http://127.0.1.{host}:1/");
        client.get(url).send().await.expect_err("nothing listens");
    }
    let text = text();
    assert_valid(&text);
    let counts = samples(&text, "http_client_request_duration_seconds_count");
    assert_eq!(counts.len(), 101);
    let folded = "{error_type=\"connect\",http_request_method=\"GET\",server_address=\"other\"}";
    assert_eq!(counts[folded], "10");
    let _ = telemetry.shutdown();
}
