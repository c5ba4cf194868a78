//! The text at an address of its own.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use rustok_telemetry::{Telemetry, http::health_routes, metrics};
use tower::ServiceExt as _;

use crate::{builder, start, support::samples};

/// A port that was free a moment ago.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string()
}

fn ask(port: &str, request: &str) -> String {
    let mut connection = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
    let request = format!("{request} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("it reads");
    let limit = Some(Duration::from_secs(20));
    connection.set_read_timeout(limit).expect("a limit");
    let mut answer = String::new();
    connection
        .read_to_string(&mut answer)
        .expect("it answers, and closes");
    answer
}

/// Telemetry whose text is served at a port of its own.
fn serving() -> (Telemetry, String) {
    serving_with(&[])
}

fn serving_with(more: &[(&str, &str)]) -> (Telemetry, String) {
    let port = free_port();
    let variables = [
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", &port),
    ];
    let telemetry = start(&[&variables, more].concat());
    (telemetry, port)
}

#[test_fork::test]
fn the_text_is_served_where_it_was_asked_for() {
    let (telemetry, port) = serving();
    rustok_telemetry::metrics::record_event_published("OrderPlaced", "acme");
    let answer = ask(&port, "GET /metrics");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4\r\n"),
        "{answer}"
    );
    let sample = r#"rustok_event_bus_published_total{event_type="OrderPlaced",tenant_id="acme"} 1"#;
    assert!(answer.contains(sample), "{answer}");
    assert!(
        answer.contains("vary: Accept, Accept-Encoding\r\n"),
        "{answer}"
    );
    assert!(ask(&port, "GET /").starts_with("HTTP/1.1 404 "));
    assert!(ask(&port, "POST /metrics").starts_with("HTTP/1.1 405 "));

    // Nobody who only connects keeps others from asking.
    let idle: Vec<_> = (0..8)
        .map(|_| TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens"))
        .collect();
    assert!(ask(&port, "GET /metrics").starts_with("HTTP/1.1 200 OK\r\n"));
    drop(idle);
    assert!(telemetry.shutdown().is_complete());
}

#[test_fork::test]
fn the_text_is_compressed_for_those_who_ask() {
    let (telemetry, port) = serving();
    let mut connection = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n\r\n";
    connection.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).expect("it answers");
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.expect("an end of the head") + 4);
    let head = std::str::from_utf8(head).expect("text");
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
    let mut text = String::new();
    flate2::read::GzDecoder::new(body)
        .read_to_string(&mut text)
        .expect("gzip");
    assert!(text.contains("\ntarget_info{"), "{text}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_port_in_use_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let error = builder(&[
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", &port),
    ])
    .init()
    .expect_err("it is taken");
    let said = format!("{error:?}");
    let variable = format!("OTEL_EXPORTER_PROMETHEUS_PORT={port}");
    assert!(
        said.contains(&variable) && said.contains("in use"),
        "{said}"
    );
}

#[test_fork::test]
fn unless_it_is_asked_for_nothing_listens() {
    let telemetry = start(&[
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ]);
    assert!(
        TcpListener::bind("localhost:9464").is_ok(),
        "the port is free"
    );
    let _ = telemetry.shutdown();
}

#[rustok_telemetry::metrics(namespace = "scrapes")]
mod declared {
    /// When the collection began, in microseconds since the test began.
    #[gauge(name = "begun")]
    pub(super) fn set_begun(microseconds: u64);
}

/// Microseconds since the first call.
fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_micros() as u64
}

/// Scrapes the route, and asserts that the text is not older than the request.
async fn scrape(route: Router, accept: &'static str) -> Bytes {
    let asked = now();
    let request = Request::get("/api/_health/metrics").header("accept", accept);
    let request = request.body(Body::empty()).expect("a request");
    let response = route.oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.expect("a body");
    let body = body.to_bytes();
    assert_fresh(std::str::from_utf8(&body).expect("text"), asked);
    body
}

fn assert_fresh(text: &str, asked: u64) {
    let begun: u64 = samples(text, "scrapes_begun")[""]
        .parse()
        .expect("a number");
    assert!(begun >= asked, "the collection began before the request");
}

/// A collection that takes 50 ms, and the number of collections.
fn slow_collection() -> Arc<AtomicUsize> {
    let collections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&collections);
    let slow = move || {
        declared::set_begun(now());
        counted.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(50));
    };
    metrics::before_collection(slow).detach();
    collections
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn concurrent_scrapes_share_one_rendering() {
    let (telemetry, port) = serving();
    let collections = slow_collection();
    let port = Arc::new(port);
    let of_port = (0..8).map(|_| {
        let port = Arc::clone(&port);
        tokio::task::spawn_blocking(move || {
            let asked = now();
            assert_fresh(&ask(&port, "GET /metrics"), asked);
        })
    });
    let of_port: Vec<_> = of_port.collect();
    let of_route: Vec<_> = (0..200)
        .map(|_| tokio::spawn(scrape(health_routes(), "")))
        .collect();
    let mut bodies = BTreeSet::new();
    let mut texts = Vec::new();
    for scrape in of_route {
        let text = scrape.await.expect("no panic");
        bodies.insert(text.as_ptr() as usize);
        texts.push(text);
    }
    for scrape in of_port {
        scrape.await.expect("no panic");
    }
    let collections = collections.load(Ordering::Relaxed);
    // The one that ran, the one behind it, and some for clients that started late.
    assert!((1..=6).contains(&collections), "{collections}");
    assert!(bodies.len() <= collections, "the bodies are shared");
    assert!(telemetry.shutdown().is_complete());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn no_scrape_gets_a_text_older_than_its_request() {
    let (telemetry, _) = serving();
    let collections = slow_collection();
    let scraper = |number: u64| async move {
        for round in 0..5 {
            tokio::time::sleep(Duration::from_millis((number * 7 + round) % 40)).await;
            let openmetrics = number.is_multiple_of(2);
            let accept = if openmetrics {
                "application/openmetrics-text"
            } else {
                ""
            };
            let text = scrape(health_routes(), accept).await;
            assert_eq!(text.ends_with(b"# EOF\n"), openmetrics);
        }
    };
    let scrapers: Vec<_> = (0..20)
        .map(|number| tokio::spawn(scraper(number)))
        .collect();
    for scraper in scrapers {
        scraper.await.expect("no panic");
    }
    let collections = collections.load(Ordering::Relaxed);
    assert!(collections < 50, "{collections} for 100 scrapes");
    let _ = telemetry.shutdown();
}

/// A client that disconnects does not take the text away from those who share it, nor does it stop later ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn a_scrape_that_is_cancelled_does_not_stop_others() {
    let (telemetry, _) = serving();
    let collections = slow_collection();
    for _ in 0..3 {
        let cancelled: Vec<_> = (0..10)
            .map(|_| tokio::spawn(scrape(health_routes(), "")))
            .collect();
        let other = tokio::spawn(scrape(health_routes(), ""));
        tokio::time::sleep(Duration::from_millis(10)).await;
        cancelled.iter().for_each(tokio::task::JoinHandle::abort);
        other.await.expect("no panic");
    }
    scrape(health_routes(), "").await;
    assert!(collections.load(Ordering::Relaxed) <= 7);
    let _ = telemetry.shutdown();
}

/// A service whose runtime is occupied is scraped at its port.
#[test_fork::test]
fn a_stuck_runtime_does_not_stop_the_port() {
    let (telemetry, port) = serving();
    let _collections = slow_collection();
    let stuck = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .expect("a runtime");
    let (release, released) = std::sync::mpsc::channel::<()>();
    stuck.spawn_blocking(move || released.recv());
    // It begins a scrape, and does not go on.
    let mut scrape = Box::pin(scrape(health_routes(), ""));
    stuck.block_on(async {
        std::future::poll_fn(|context| {
            assert!(scrape.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    });
    assert!(ask(&port, "GET /metrics").starts_with("HTTP/1.1 200 OK\r\n"));
    drop(scrape);
    drop(release);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_port_needs_the_token_that_is_set() {
    let (telemetry, port) = serving_with(&[("RUSTOK_TELEMETRY_ACCESS_TOKEN", "s3cret")]);
    let ask_with = |header: &str| ask(&port, &format!("GET /metrics HTTP/1.1\r\n{header}\r\nx: "));
    for (header, status) in [
        ("a: b", 401),
        ("authorization: Bearer wrong", 401),
        ("authorization: Bearer s3cre", 401),
        ("authorization: Bearer s3crets", 401),
        ("authorization: Basic s3cret", 401),
        ("cookie: rustok-console-5150=733363726574", 401),
        ("authorization: Bearer s3cret", 200),
    ] {
        let answer = ask_with(header);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{header}: {answer}"
        );
        let has_challenge = answer.contains("www-authenticate: Bearer\r\n");
        assert_eq!(has_challenge, status == 401, "{answer}");
        assert!(!answer.contains("s3cret"), "{answer}");
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_port_answers_the_networks_that_are_allowed() {
    let networks = ("RUSTOK_TELEMETRY_ACCESS_NETWORKS", "10.0.0.0/8, 192.0.2.7");
    let (telemetry, port) = serving_with(&[networks]);
    let answer = ask(
        &port,
        "GET /metrics HTTP/1.1\r\nx-forwarded-for: 10.0.0.1\r\nx: ",
    );
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(!answer.contains("10.0.0"), "{answer}");
    let _ = telemetry.shutdown();
}
