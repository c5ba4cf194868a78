//! Clients that are slow, or send too much, on purpose.

use std::time::Instant;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
    time::sleep,
};

use super::*;
use crate::config::TelemetryConfig;

const SHORT: Limits = Limits {
    connections: 4,
    head: Duration::from_millis(300),
    connection: Duration::from_secs(1),
};

/// Ample time for what has to happen.
const AMPLE: Duration = Duration::from_secs(20);

async fn server(limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(accept(listener, limits));
    address
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("it listens")
}

/// Everything that the server sends until it closes the connection.
async fn response(connection: &mut TcpStream) -> String {
    let mut response = Vec::new();
    let read = timeout(AMPLE, connection.read_to_end(&mut response)).await;
    // A reset after the response, since the server has not read all of the request.
    let _ = read.expect("the server closes the connection");
    String::from_utf8(response).expect("text")
}

#[tokio::test]
async fn a_head_that_is_sent_slowly_is_cut_off() {
    let address = server(SHORT).await;
    for head in ["", "GET /metrics HTTP/1.1\r\nhost: "] {
        let mut connection = connect(address).await;
        connection.write_all(head.as_bytes()).await.expect("sent");
        let started = Instant::now();
        while connection.write_all(b"a").await.is_ok() {
            assert!(started.elapsed() < AMPLE, "{head}");
            sleep(Duration::from_millis(20)).await;
        }
        assert!(started.elapsed() >= SHORT.head, "{head}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let mut idle = connect(server(SHORT).await).await;
    assert_eq!(response(&mut idle).await, "");
}

#[tokio::test]
#[test_fork::fork]
async fn a_slow_reader_is_cut_off() {
    /// More than the buffers of both sockets.
    const BODY: usize = 16 << 20;
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
    ];
    let config = TelemetryConfig::from_vars(variables).expect("valid");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .without_subscriber()
        .init();
    let telemetry = telemetry.expect("telemetry starts");
    #[expect(clippy::disallowed_methods, reason = "as another library has it")]
    let meter = opentelemetry::global::meter("large");
    let value = "x".repeat(BODY);
    let large = opentelemetry::KeyValue::new("large", value);
    meter.u64_counter("large_total").build().add(1, &[large]);

    let patient = Limits {
        connection: AMPLE,
        ..SHORT
    };
    let started = Instant::now();
    let length = read_after(server(patient).await, Duration::ZERO).await;
    assert!(length >= BODY, "{length}");
    let limits = Limits {
        connection: SHORT.connection.max(4 * started.elapsed()),
        ..SHORT
    };
    let length = read_after(server(limits).await, limits.connection).await;
    assert!((1..BODY).contains(&length), "{length}");
    let _ = telemetry.shutdown();
}

/// Reads the text, and waits between its first byte and the others. Returns the length of the response.
async fn read_after(address: SocketAddr, pause: Duration) -> usize {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 << 10).expect("a size");
    let mut connection = socket.connect(address).await.expect("it listens");
    let request = b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n";
    connection.write_all(request).await.expect("sent");
    connection.readable().await.expect("open");
    sleep(pause).await;
    response(&mut connection).await.len()
}

#[tokio::test]
async fn idle_connections_do_not_keep_others_out() {
    let patient = Limits {
        head: AMPLE,
        connection: AMPLE,
        ..SHORT
    };
    let address = server(patient).await;
    let mut idle = Vec::new();
    for _ in 0..3 * patient.connections {
        idle.push(connect(address).await);
    }
    let mut scrape = connect(address).await;
    let request = b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n";
    scrape.write_all(request).await.expect("sent");
    let started = Instant::now();
    let text = response(&mut scrape).await;
    // Telemetry has not been started.
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    assert!(started.elapsed() < AMPLE / 2);
    let mut open = 0;
    for connection in &mut idle {
        let mut byte = [0];
        let read = timeout(Duration::from_millis(50), connection.read(&mut byte)).await;
        open += usize::from(read.is_err());
    }
    assert_eq!(open, patient.connections - 1, "the youngest");
}

#[tokio::test]
async fn a_large_request_is_refused() {
    let address = server(SHORT).await;
    let path = "a".repeat(2 * MAX_HEAD);
    let header = format!("x: {path}");
    let many = "x: y\r\n".repeat(200);
    for (target, headers, status) in [
        (&*path, "", "HTTP/1.1 4"),
        ("/metrics", &*header, "HTTP/1.1 431 "),
        ("/metrics", &*many, "HTTP/1.1 431 "),
        ("/metrics?\u{0}", "", "HTTP/1.1 400 "),
    ] {
        let mut connection = connect(address).await;
        let request = format!("GET {target} HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n");
        // The server may respond before it has read all.
        let _ = connection.write_all(request.as_bytes()).await;
        let text = response(&mut connection).await;
        assert!(text.starts_with(status), "{status}: {text}");
    }
}

#[tokio::test]
async fn the_body_of_a_request_is_not_read() {
    let address = server(SHORT).await;
    let mut connection = connect(address).await;
    let head = format!(
        "POST /metrics HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
        1_u64 << 40
    );
    connection.write_all(head.as_bytes()).await.expect("sent");
    let text = response(&mut connection).await;
    assert!(text.starts_with("HTTP/1.1 405 "), "{text}");
    let started = Instant::now();
    while connection.write_all(&[0; 1024]).await.is_ok() {
        assert!(started.elapsed() < AMPLE, "the server still reads");
    }
}

#[tokio::test]
async fn a_connection_serves_one_request() {
    let address = server(SHORT).await;
    let mut connection = connect(address).await;
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n".repeat(3);
    connection
        .write_all(request.as_bytes())
        .await
        .expect("sent");
    let text = response(&mut connection).await;
    assert_eq!(text.matches("HTTP/1.1 404 ").count(), 1, "{text}");
    assert!(text.contains("connection: close\r\n"), "{text}");
}
