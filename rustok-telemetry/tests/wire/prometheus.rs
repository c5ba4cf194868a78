//! The text at an address of its own.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use rustok_telemetry::Telemetry;

use crate::{builder, start};

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
    let mut answer = String::new();
    connection
        .read_to_string(&mut answer)
        .expect("it answers, and closes");
    answer
}

/// Telemetry whose text is served at a port of its own.
fn serving() -> (Telemetry, String) {
    let port = free_port();
    let telemetry = start(&[
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", &port),
    ]);
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
