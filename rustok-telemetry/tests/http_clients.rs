//! Real clients on real connections: those that go away, and those that try everything.
#![cfg(feature = "axum")]

mod support;

use std::{collections::BTreeSet, net::SocketAddr, ops::Range, sync::Mutex, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::StatusCode,
    routing::{get, post},
};
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use rustok_telemetry::http::TelemetryLayer;
use support::{samples, text, text_only};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

const CLIENTS: usize = 1_000;
const AT_ONCE: usize = 50;

/// Where a client closes its connection.
#[derive(Debug, Clone, Copy)]
enum Stage {
    BeforeTheResponse,
    WithinTheRequestBody,
    WithinTheResponseBody,
}

/// Clients whose request has reached its handler. A client that left before would not have sent one.
static TAKEN: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

fn take(client: usize) {
    TAKEN.lock().expect("no panic").insert(client);
}

async fn is_taken(client: usize) {
    while !TAKEN.lock().expect("no panic").contains(&client) {
        sleep(Duration::from_millis(1)).await;
    }
}

async fn serve() -> SocketAddr {
    async fn waits(Path(client): Path<usize>) -> &'static str {
        take(client);
        sleep(Duration::from_secs(30)).await;
        "late"
    }

    async fn reads(Path(client): Path<usize>, body: Body) -> Result<String, StatusCode> {
        take(client);
        let body = body.collect().await.map_err(|_| StatusCode::BAD_REQUEST)?;
        Ok(body.to_bytes().len().to_string())
    }

    async fn endless() -> Body {
        let frame = || {
            Ok::<_, std::convert::Infallible>(http_body::Frame::data(Bytes::from(vec![
                0_u8;
                16_384
            ])))
        };
        let frames = stream::repeat_with(frame).then(|frame| async {
            sleep(Duration::from_millis(1)).await;
            frame
        });
        Body::new(StreamBody::new(frames.boxed()))
    }

    let app = Router::new()
        .route("/waits/{client}", get(waits))
        .route("/reads/{client}", post(reads))
        .route("/endless", get(endless))
        .route("/items/{id}", get(|| async { "an item" }))
        .layer(TelemetryLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn leaves(address: SocketAddr, client: usize, stage: Stage) {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let request = match stage {
        Stage::BeforeTheResponse => {
            format!("GET /waits/{client} HTTP/1.1\r\nhost: localhost\r\n\r\n")
        }
        Stage::WithinTheRequestBody => {
            format!(
                "POST /reads/{client} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nhalf"
            )
        }
        Stage::WithinTheResponseBody => {
            "GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned()
        }
    };
    connection
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    match stage {
        Stage::BeforeTheResponse | Stage::WithinTheRequestBody => is_taken(client).await,
        Stage::WithinTheResponseBody => {
            let mut part = [0; 20_000];
            connection
                .read_exact(&mut part)
                .await
                .expect("a part of the body");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn a_thousand_disconnecting_clients_are_counted() {
    let telemetry = text_only().init().expect("telemetry starts");
    let address = serve().await;
    let stages = [
        Stage::BeforeTheResponse,
        Stage::WithinTheRequestBody,
        Stage::WithinTheResponseBody,
    ];
    stream::iter(0..CLIENTS)
        .for_each_concurrent(AT_ONCE, |client| {
            leaves(address, client, stages[client % stages.len()])
        })
        .await;
    let settled = timeout(Duration::from_secs(20), async {
        while samples(&text(), "rustok_http_active_connections")
            .get("")
            .is_none_or(|active| active != "0")
        {
            sleep(Duration::from_millis(50)).await;
        }
    });
    settled.await.expect("no request is active any more");
    let requests = samples(&text(), "rustok_http_requests_total");
    let counted: usize = requests
        .values()
        .filter_map(|count| count.parse::<usize>().ok())
        .sum();
    assert_eq!(counted, CLIENTS, "{requests:?}");
    // A body that breaks off is an answer of the handler's extractor: 400. The others never had a whole response.
    let of = |labels: &str| {
        requests
            .get(labels)
            .and_then(|count| count.parse::<usize>().ok())
            .unwrap_or(0)
    };
    assert_eq!(
        of("{method=\"GET\",path=\"/waits/{client}\",status=\"client_closed\"}"),
        334,
        "{requests:?}"
    );
    assert_eq!(
        of("{method=\"GET\",path=\"/endless\",status=\"client_closed\"}"),
        333,
        "{requests:?}"
    );
    let _ = telemetry.shutdown();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[test_fork::fork]
async fn ten_thousand_random_requests_make_few_series() {
    let telemetry = text_only().init().expect("telemetry starts");
    let address = serve().await;
    let everything = |connections: Range<usize>| {
        stream::iter(connections).for_each_concurrent(10, move |connection| {
            tries_everything(address, connection * 100..(connection + 1) * 100)
        })
    };
    everything(0..20).await;
    // The count of a metric's dropped observations appears after its first collection, and that count is a metric, too.
    for _ in 0..2 {
        let _ = text();
    }
    let after_two_thousand = text();
    everything(20..100).await;
    let text = text();
    assert_eq!(
        series(&text),
        series(&after_two_thousand),
        "no series comes of a further 8,000 requests"
    );
    let requests = samples(&text, "rustok_http_requests_total");
    let counted: usize = requests
        .values()
        .filter_map(|count| count.parse::<usize>().ok())
        .sum();
    assert_eq!(counted, 10_000, "{requests:?}");
    // Four methods that are known (or `_OTHER`), two paths, and few statuses.
    assert!(requests.len() <= 10, "{requests:?}");
    let _ = telemetry.shutdown();
}

/// Random methods, paths, queries and header values.
async fn tries_everything(address: SocketAddr, ids: Range<usize>) {
    let methods = ["GET", "POST", "BREW", "PROPFIND", "DELETE"];
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    for id in ids {
        let method = match id % 7 {
            0 => format!("X{id}"),
            _ => methods[id % methods.len()].to_owned(),
        };
        let path = match id % 3 {
            0 => format!("/items/{id}?q={id}"),
            _ => format!("/{id}/../.env"),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: h{id}\r\nx-tenant-id: {id}\r\nuser-agent: a{id}\r\n\
             traceparent: 00-{id:032x}-{id:016x}-01\r\nbaggage: tenant_id=t{id},k{id}=v\r\n\
             x-forwarded-for: 10.0.0.{id}\r\ncontent-length: 0\r\n\r\n"
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("a request");
        read_head(&mut stream).await;
    }
}

/// Every series of the text, without its value.
fn series(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .collect()
}

/// Reads one response, by its `content-length`.
async fn read_head(stream: &mut TcpStream) {
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    loop {
        let read = stream.read(&mut part).await.expect("an answer");
        assert!(read > 0, "the connection was closed");
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .split("content-length: ")
                .nth(1)
                .map(|rest| {
                    rest.split("\r\n")
                        .next()
                        .and_then(|length| length.parse::<usize>().ok())
                        .unwrap_or(0)
                });
            if body.len() >= length.unwrap_or(0) {
                return;
            }
        }
    }
}
