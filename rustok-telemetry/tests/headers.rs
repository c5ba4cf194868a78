//! The headers that are sent are those of the configuration, and no others.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    time::Duration,
};

use rustok_telemetry::config::TelemetryConfig;

const VARIABLE: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// The configuration is given in code, and the environment has other headers, which the exporter reads by itself.
/// Run once more with the variable set: a test cannot set it for its own process safely.
#[test]
fn headers_in_code_replace_those_of_the_environment() {
    if std::env::var_os(VARIABLE).is_none() {
        let again = Command::new(std::env::current_exe().expect("a path"))
            .arg("--nocapture")
            .env(VARIABLE, "api-key=of-the-environment,x-other=1")
            .status()
            .expect("the test runs again");
        assert!(again.success());
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let receiver = std::thread::spawn(move || receive(&listener));
    let config = TelemetryConfig::from_vars([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        (VARIABLE, "api-key=a%252Fb"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ])
    .expect("a valid configuration");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");
    drop(tracing::info_span!("work"));
    let report = telemetry.shutdown_within(Duration::from_secs(5));
    assert!(report.is_complete(), "{report}");
    let request = receiver.join().expect("no panic");
    assert!(
        request.starts_with("POST /v1/traces HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("\r\napi-key: a%2Fb\r\n"),
        "decoded once: {request}"
    );
    assert!(
        request.contains("\r\ncontent-type: application/x-protobuf\r\n"),
        "{request}"
    );
    assert!(!request.contains("of-the-environment"), "{request}");
    assert!(!request.contains("x-other"), "{request}");
}

/// Takes one request, answers it, and gives its head.
fn receive(listener: &TcpListener) -> String {
    let (mut connection, _) = listener.accept().expect("a connection");
    let mut request = Vec::new();
    let mut part = [0; 4096];
    let head = loop {
        let read = connection.read(&mut part).expect("a request");
        request.extend_from_slice(&part[..read]);
        if let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).into_owned();
    let length = text.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    while request.len() < head + length.unwrap_or(0) {
        let read = connection.read(&mut part).expect("a body");
        request.extend_from_slice(&part[..read]);
    }
    connection
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .expect("an answer");
    text
}
