//! TLS, of both protocols: with the right certificates it works, and without nothing leaves.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use rustok_telemetry::ShutdownReport;

use crate::{
    certificates::Authority,
    in_a_process,
    receiver::{Behaviour, Receiver},
    start,
};

fn secure(authority: &Authority, mutual: bool) -> Receiver {
    let tls = Some(authority.server(mutual));
    Receiver::with(Behaviour {
        tls,
        ..Behaviour::default()
    })
}

/// Sends one span with a secret header.
fn send(endpoint: &str, protocol: &str, variables: &[(&str, &str)]) -> ShutdownReport {
    let mut all = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
    ];
    all.extend_from_slice(variables);
    let telemetry = start(&all);
    drop(tracing::info_span!("secret work"));
    telemetry.shutdown()
}

#[track_caller]
fn arrives(receiver: &Receiver, report: &ShutdownReport) {
    assert!(report.is_complete(), "{report}");
    let request = receiver.only("trace");
    assert_eq!(request.spans().len(), 1);
    assert_eq!(request.header("api-key"), "hunter2");
}

#[track_caller]
fn fails(receiver: &Receiver, report: &ShutdownReport, why: &str) {
    assert_eq!(report.lost_spans, 1, "{report}");
    let error = report.traces_error.as_deref().expect("a reason");
    assert!(error.contains(why), "{error}");
    assert!(receiver.requests().is_empty());
}

fn a_trusted_server(protocol: &str) {
    let authority = Authority::new(&format!("trusted_{}", protocol.len()));
    let receiver = secure(&authority, false);
    let trusted = authority.certificate();
    let variables = [("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str())];
    arrives(&receiver, &send(&receiver.secure(), protocol, &variables));
}

#[test_fork::test]
fn a_server_whose_authority_is_trusted_gets_spans_by_http() {
    a_trusted_server("http/protobuf");
}

#[test_fork::test]
fn a_server_whose_authority_is_trusted_gets_spans_by_grpc() {
    a_trusted_server("grpc");
}

#[test_fork::test]
fn a_server_of_an_unknown_authority_gets_nothing_by_http() {
    let authority = Authority::new("unknown_http");
    let other = Authority::new("unknown_http_other").certificate();
    let receiver = secure(&authority, false);
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", other.as_str())];
    let report = send(&receiver.secure(), "http/protobuf", &variables);
    fails(&receiver, &report, "invalid peer certificate");
}

#[test_fork::test]
fn a_server_of_an_unknown_authority_gets_nothing_by_grpc() {
    let authority = Authority::new("unknown_grpc");
    let other = Authority::new("unknown_grpc_other").certificate();
    let receiver = secure(&authority, false);
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", other.as_str())];
    let report = send(&receiver.secure(), "grpc", &variables);
    fails(&receiver, &report, "invalid peer certificate");
}

#[test_fork::test]
fn a_server_of_another_name_gets_nothing() {
    let authority = Authority::new("name");
    let receiver = secure(&authority, false);
    let trusted = authority.certificate();
    let endpoint = format!("https://127.0.0.1:{}", receiver.address.port());
    let variables = [("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str())];
    let report = send(&endpoint, "http/protobuf", &variables);
    fails(&receiver, &report, "not valid for name");
}

/// What a server that asks for a certificate gets, from a client with that of `of`.
fn mutual(name: &str, protocol: &str, of: Option<&Authority>) -> (Receiver, ShutdownReport) {
    let authority = Authority::new(name);
    let receiver = secure(&authority, true);
    let trusted = authority.certificate();
    let client = of.unwrap_or(&authority).client("client");
    let variables = [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str()),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", client.0.as_str()),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", client.1.as_str()),
    ];
    let report = send(&receiver.secure(), protocol, &variables);
    (receiver, report)
}

#[test_fork::test]
fn a_client_with_the_right_certificate_is_let_in_by_http() {
    let (receiver, report) = mutual("right_http", "http/protobuf", None);
    arrives(&receiver, &report);
}

#[test_fork::test]
fn a_client_with_the_right_certificate_is_let_in_by_grpc() {
    let (receiver, report) = mutual("right_grpc", "grpc", None);
    arrives(&receiver, &report);
}

#[test_fork::test]
fn a_client_with_a_wrong_certificate_is_not_let_in_by_http() {
    let other = Authority::new("wrong_http_other");
    let (receiver, report) = mutual("wrong_http", "http/protobuf", Some(&other));
    fails(&receiver, &report, "received fatal alert");
}

#[test_fork::test]
fn a_client_with_a_wrong_certificate_is_not_let_in_by_grpc() {
    let other = Authority::new("wrong_grpc_other");
    let (receiver, report) = mutual("wrong_grpc", "grpc", Some(&other));
    fails(&receiver, &report, "received fatal alert");
}

fn without_certificate(name: &str, protocol: &str) {
    let authority = Authority::new(name);
    let receiver = secure(&authority, true);
    let trusted = authority.certificate();
    let variables = [("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.as_str())];
    let report = send(&receiver.secure(), protocol, &variables);
    fails(&receiver, &report, "CertificateRequired");
}

#[test_fork::test]
fn a_client_without_a_certificate_is_not_let_in_by_http() {
    without_certificate("without_http", "http/protobuf");
}

#[test_fork::test]
fn a_client_without_a_certificate_is_not_let_in_by_grpc() {
    without_certificate("without_grpc", "grpc");
}

/// A listener that answers nothing; what it is told.
fn in_clear_text(protocol: &str, variables: &[(&str, &str)]) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let told = thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("a connection");
        let wait = Some(Duration::from_millis(500));
        connection.set_read_timeout(wait).expect("a socket");
        let mut told = Vec::new();
        let _ = connection.read_to_end(&mut told);
        told
    });
    let endpoint = match protocol {
        "grpc" => format!("localhost:{port}"),
        _ => format!("https://localhost:{port}"),
    };
    let report = send(&endpoint, protocol, variables);
    assert_eq!(report.lost_spans, 1, "{report}");
    told.join().expect("no panic")
}

#[test_fork::test]
fn nothing_leaves_in_clear_text_where_tls_is_meant() {
    let told = in_clear_text("http/protobuf", &[]);
    assert_eq!(told[..2], [0x16, 0x03], "a handshake of TLS");
    let told = String::from_utf8_lossy(&told);
    assert!(!told.contains("hunter2") && !told.contains("secret work"));
}

#[test_fork::test]
fn grpc_without_a_scheme_is_with_tls() {
    let told = in_clear_text("grpc", &[]);
    assert_eq!(told[..2], [0x16, 0x03], "a handshake of TLS");
    let told = String::from_utf8_lossy(&told);
    assert!(!told.contains("hunter2") && !told.contains("secret work"));
}

#[test_fork::test]
fn grpc_without_a_scheme_is_in_clear_text_if_that_is_said() {
    let receiver = Receiver::start();
    let endpoint = format!("localhost:{}", receiver.address.port());
    let variables = [("OTEL_EXPORTER_OTLP_INSECURE", "true")];
    arrives(&receiver, &send(&endpoint, "grpc", &variables));
}

/// A proxy: the line that it is asked by, once it has passed the connection on.
fn proxy(to: SocketAddr) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let asked = thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a connection");
        let mut head = Vec::new();
        let mut byte = [0; 1];
        while !head.ends_with(b"\r\n\r\n") {
            client.read_exact(&mut byte).expect("a request");
            head.push(byte[0]);
        }
        let answer = b"HTTP/1.1 200 OK\r\n\r\n";
        client.write_all(answer).expect("it reads");
        let mut server = TcpStream::connect(to).expect("it listens");
        let (mut from_server, mut to_client) = (
            server.try_clone().expect("a socket"),
            client.try_clone().expect("a socket"),
        );
        thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
        thread::spawn(move || std::io::copy(&mut client, &mut server));
        String::from_utf8(head).expect("text")
    });
    (format!("http://me:secret@{address}"), asked)
}

#[test]
fn a_proxy_is_asked_to_pass_on_what_it_cannot_read() {
    let test = "tls::a_proxy_is_asked_to_pass_on_what_it_cannot_read";
    // The process within makes another one.
    let authority = Authority::new(&format!("proxy_{}", std::process::id()));
    let receiver = secure(&authority, false);
    let (proxy, asked) = proxy(receiver.address);
    let port = receiver.address.port();
    let endpoint = format!("https://localhost:{port}");
    let variables = [
        ("HTTPS_PROXY", proxy.as_str()),
        ("NO_PROXY", ""),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &authority.certificate()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
    ];
    in_a_process(test, &variables, || {
        let telemetry = rustok_telemetry::init().expect("telemetry starts");
        drop(tracing::info_span!("work"));
        let report = telemetry.shutdown();
        assert!(report.is_complete(), "{report}");
    });
    assert_eq!(receiver.spans().len(), 1);
    let asked = asked.join().expect("no panic");
    let expected = format!("CONNECT localhost:{port} HTTP/1.1\r\n");
    assert!(asked.starts_with(&expected), "{asked}");
    assert!(asked.contains("bWU6c2VjcmV0"), "me:secret: {asked}");
    assert!(!asked.contains("hunter2"), "{asked}");
}
