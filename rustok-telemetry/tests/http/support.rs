//! Servers and clients on real connections, and bodies that behave in every way that a body may.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rustok_telemetry::testing::Capture;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::Service;

pub(crate) const REQUESTS: &str = "rustok_http_requests_total";
pub(crate) const ACTIVE: &str = "rustok_http_active_connections";

/// Ample time for what takes milliseconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// What a test gives as a response's body.
#[derive(Debug, Default)]
pub(crate) struct TestBody {
    frames: VecDeque<Frame<Bytes>>,
    /// What `size_hint` tells, if it tells anything.
    length: Option<u64>,
    /// Whether `is_end_stream` tells the end as soon as it is there.
    tells_end: bool,
    /// Whether it stays open after its frames.
    endless: bool,
}

impl TestBody {
    /// A body that is known to end only when it is polled.
    pub(crate) fn of(frames: &[&'static str]) -> Self {
        let frames = frames.iter().map(|data| Frame::data(Bytes::from(*data)));
        Self {
            frames: frames.collect(),
            ..Self::default()
        }
    }

    pub(crate) fn hinting(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    pub(crate) fn telling_its_end(mut self) -> Self {
        self.tells_end = true;
        self
    }

    pub(crate) fn endless(mut self) -> Self {
        self.endless = true;
        self
    }

    pub(crate) fn with_trailers(mut self) -> Self {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-checksum", http::HeaderValue::from_static("7"));
        self.frames.push_back(Frame::trailers(trailers));
        self
    }
}

impl Body for TestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None if self.endless => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.tells_end && self.frames.is_empty() && !self.endless
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map(SizeHint::with_exact).unwrap_or_default()
    }
}

/// Serves the next connections, over HTTP/1 and 2.
pub(crate) async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let stream = TokioIo::new(stream);
                let _ = server.serve_connection_with_upgrades(stream, service).await;
            });
        }
    });
    address
}

/// Sends a request as text, and gives everything that comes until the server closes the connection.
pub(crate) async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut client = TcpStream::connect(address).await.expect("a connection");
    client
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let mut answer = Vec::new();
    within(client.read_to_end(&mut answer))
        .await
        .expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a request as text, waits for a part of the answer, and goes away.
pub(crate) async fn leave_after(address: SocketAddr, request: &str, part: &str) {
    let mut client = TcpStream::connect(address).await.expect("a connection");
    client
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let mut answer = String::new();
    while !answer.contains(part) {
        let mut buffer = [0; 1_024];
        let read = within(client.read(&mut buffer)).await.expect("an answer");
        assert_ne!(read, 0, "`{part}` is not in `{answer}`");
        answer.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

/// Sends a request over HTTP/2, and gives the response with its body still to be read.
pub(crate) async fn send_http2(
    address: SocketAddr,
    request: Request<Empty<Bytes>>,
) -> Response<Incoming> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("a handshake");
    tokio::spawn(connection);
    within(client.send_request(request))
        .await
        .expect("a response")
}

/// Reads the whole body of a response.
pub(crate) async fn read<B: Body>(response: Response<B>) -> Bytes
where
    B::Error: std::fmt::Debug,
{
    let body = within(response.into_body().collect()).await;
    body.expect("a body").to_bytes()
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    timeout(LIMIT, future).await.expect("in time")
}

/// The path and the status of every request, when so many have been counted.
pub(crate) async fn counted(telemetry: &Capture, count: f64) -> Vec<(String, String)> {
    let series = within(async {
        loop {
            let series = telemetry.metric(REQUESTS).series();
            if series.iter().map(|series| series.value).sum::<f64>() >= count {
                break series;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let mut requests = Vec::new();
    for series in series {
        for _ in 0..series.value as u64 {
            let labels = &series.labels;
            requests.push((labels["path"].clone(), labels["status"].clone()));
        }
    }
    requests.sort();
    requests
}
