//! Proxies: the doctor takes the same way to an endpoint as the exporters.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::{
    certificates::Authority,
    doctor_json,
    receiver::{Behaviour, Receiver},
    receivers::assert_failure,
    servers, step,
};

const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];

/// A proxy that forwards every tunnel to one address, or answers each request with a status.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// The first line of each request.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn start(answer: Result<SocketAddr, &'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::default();
        let kept: Arc<Mutex<Vec<String>>> = Arc::clone(&requests);
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.expect("a connection");
                let Some(head) = head(&mut client) else {
                    // The doctor has tried whether it can connect.
                    continue;
                };
                let line = head.lines().next().unwrap_or_default().to_owned();
                kept.lock().expect("no panic").push(line);
                match answer {
                    Ok(address) => tunnel(client, address),
                    Err(status) => {
                        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                        client.write_all(answer.as_bytes()).expect("it reads");
                    }
                }
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

/// The head of a request; `None` if the client sends nothing.
fn head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

fn tunnel(mut client: TcpStream, address: SocketAddr) {
    client
        .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
        .expect("it reads");
    let mut server = TcpStream::connect(address).expect("it listens");
    let mut from_server = server.try_clone().expect("a socket");
    let mut to_client = client.try_clone().expect("a socket");
    thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    thread::spawn(move || std::io::copy(&mut client, &mut server));
}

fn secure(authority: &Authority) -> Receiver {
    Receiver::with(Behaviour {
        tls: Some(authority.server(false)),
        ..Behaviour::default()
    })
}

/// `https://localhost` with a port that nothing listens on: only a proxy leads anywhere.
fn unreachable() -> String {
    servers::nothing().replace("127.0.0.1", "https://localhost")
}

#[test]
fn https_endpoint_is_reached_through_the_proxy() {
    let authority = Authority::new("doctor_proxy");
    let (receiver, certificate) = (secure(&authority), authority.certificate());
    for protocol in PROTOCOLS {
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            let proxy = Proxy::start(Ok(receiver.address));
            let endpoint = unreachable();
            let variables = [
                (variable, &*proxy.url()),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate),
            ];
            let json = doctor_json(&["--check"], &variables);
            assert_eq!(json["outcome"], "ok", "{json:#}");
            for name in ["resolve", "connect", "traces", "metrics"] {
                assert_eq!(step(&json, name)["result"], "ok", "{json:#}");
            }
            let connected = format!("{} (the proxy in {variable})", proxy.address);
            assert_eq!(step(&json, "connect")["target"], connected, "{json:#}");
            let host = endpoint.trim_start_matches("https://");
            let requests = proxy.requests();
            let asked = format!("CONNECT {host} HTTP/1.1");
            assert!(!requests.is_empty() && requests.iter().all(|line| *line == asked));
        }
    }
}

#[test]
fn http_endpoint_is_never_reached_through_a_proxy() {
    let receiver = Receiver::start();
    for protocol in PROTOCOLS {
        let proxy = Proxy::start(Ok(receiver.address));
        let (url, endpoint) = (proxy.url(), format!("http://{}", servers::nothing()));
        let variables = [
            ("HTTP_PROXY", &*url),
            ("ALL_PROXY", &*url),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ];
        assert_failure(
            &variables,
            "connect",
            "HTTP_PROXY has no effect: the exporters connect directly to http:// endpoints",
            "correct OTEL_EXPORTER_OTLP_ENDPOINT",
        );
        assert_eq!(proxy.requests(), [""; 0]);
    }
    assert_eq!(receiver.requests().len(), 0);
    let variables = [
        ("http_proxy", "http://127.0.0.1:9"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://collector.invalid:4318",
        ),
    ];
    assert_failure(
        &variables,
        "resolve",
        "host not found. http_proxy has no effect",
        "check the host in OTEL_EXPORTER_OTLP_ENDPOINT",
    );
}

#[test]
fn loopback_is_proxied_unless_no_proxy_names_it() {
    let authority = Authority::new("doctor_no_proxy");
    let (receiver, certificate) = (secure(&authority), authority.certificate());
    let (endpoint, proxy) = (receiver.secure(), format!("http://{}", servers::nothing()));
    for protocol in PROTOCOLS {
        let mut variables = vec![
            ("HTTPS_PROXY", &*proxy),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate),
        ];
        assert_failure(
            &variables,
            "connect",
            "the proxy is not running, or has another address",
            "start the proxy, correct HTTPS_PROXY, or add localhost to NO_PROXY",
        );
        variables.push(("NO_PROXY", "localhost"));
        let json = doctor_json(&["--check"], &variables);
        assert_eq!(json["outcome"], "ok", "{json:#}");
        assert_eq!(
            step(&json, "connect")["target"],
            endpoint.trim_start_matches("https://"),
            "{json:#}"
        );
    }
}

#[test]
fn proxy_that_rejects_the_tunnel_is_named() {
    for (status, cause, remedy) in [
        (
            "403 Forbidden",
            "the proxy does not connect to localhost:",
            "add localhost to NO_PROXY",
        ),
        (
            "407 Proxy Authentication Required",
            "the proxy requires credentials, or does not accept those in HTTPS_PROXY",
            "http://user:password@host:port",
        ),
    ] {
        let proxy = Proxy::start(Err(status));
        let with_password = format!("http://me:hunter2@{}", proxy.address);
        for protocol in PROTOCOLS {
            let variables = [
                ("HTTPS_PROXY", &*with_password),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &unreachable()),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                // The exporters retry for so long.
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
            ];
            assert_failure(&variables, "traces", cause, remedy);
        }
    }
}

#[test]
fn proxy_of_another_kind_is_not_supported() {
    let variables = [
        ("HTTPS_PROXY", "socks5://127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:9"),
    ];
    assert_failure(
        &variables,
        "connect",
        "the exporters support http:// proxies only",
        "set HTTPS_PROXY to an http:// proxy",
    );
}
