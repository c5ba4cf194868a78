//! Takes OTLP as a backend does, over HTTP and gRPC, in clear text or with TLS, and shows what really came.

use std::{
    convert::Infallible,
    io::Read,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    logs::v1::LogRecord,
    metrics::v1::{Metric, ResourceMetrics, ScopeMetrics},
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tonic::{Code, Status};

/// A receiver. It is asked in the test what has come.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
}

/// One request: its head as it was, its message as it means.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) version: Version,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// What the body or the gRPC message was compressed with, and was.
    pub(crate) compression: Option<String>,
    /// The body as it was.
    pub(crate) body: Bytes,
    pub(crate) message: Vec<u8>,
}

/// How a receiver behaves.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    pub(crate) delay: Duration,
    /// How fast a message comes, as on a slow link.
    pub(crate) bytes_per_second: Option<usize>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Where it sends clients instead of answering.
    pub(crate) redirect: Option<String>,
    /// Its answers to the first requests, one after the other, unless `None`.
    pub(crate) refusals: Vec<Option<Response<()>>>,
    /// The message of its good answers.
    pub(crate) answer: Vec<u8>,
    /// So many of the first connections get no answers, though they stay open.
    pub(crate) silent_connections: Arc<AtomicUsize>,
    /// Largest message that it takes, not compressed.
    pub(crate) limit: Option<usize>,
    /// Refuses requests for which this holds, for good.
    pub(crate) refused: Option<fn(&Received) -> bool>,
}

impl Receiver {
    /// In clear text, at once.
    pub(crate) fn start() -> Self {
        Self::with(Behaviour::default())
    }

    pub(crate) fn with(behaviour: Behaviour) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), behaviour)
    }

    /// At an address at which nothing listens yet.
    pub(crate) fn at(address: SocketAddr, behaviour: Behaviour) -> Self {
        let listener = std::net::TcpListener::bind(address).expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::default();
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(accept(listener, behaviour, kept));
        });
        Self { address, requests }
    }

    /// `http://127.0.0.1:…`
    pub(crate) fn plain(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `https://localhost:…`
    pub(crate) fn secure(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// What has come so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.requests.lock().expect("no panic").clone()
    }

    /// Waits for this many requests.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        let started = Instant::now();
        loop {
            let requests = self.requests();
            if requests.len() >= count {
                return requests;
            }
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(10), "only {requests:#?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The one request for this signal.
    #[track_caller]
    pub(crate) fn only(&self, signal: &str) -> Received {
        let mut requests = self.requests();
        requests.retain(|request| request.is_of(signal));
        assert_eq!(requests.len(), 1, "{signal}: {requests:#?}");
        requests.remove(0)
    }

    /// All spans that have come.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.requests();
        let traces = requests.iter().filter(|request| request.is_of("trace"));
        traces.flat_map(Received::spans).collect()
    }
}

impl Received {
    /// `trace`, `metrics` or `logs`, as both protocols have it in their paths.
    pub(crate) fn is_of(&self, signal: &str) -> bool {
        self.path.to_ascii_lowercase().contains(signal)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(HeaderValue::to_str);
        value.map_or("", |value| value.expect("text"))
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let request = ExportTraceServiceRequest::decode(&self.message[..]).expect("protobuf");
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|of| of.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let scopes = self.metrics_by_scope().into_iter();
        scopes.flat_map(|scope| scope.metrics).collect()
    }

    pub(crate) fn resources_of_metrics(&self) -> Vec<ResourceMetrics> {
        let request = ExportMetricsServiceRequest::decode(&self.message[..]).expect("protobuf");
        request.resource_metrics
    }

    pub(crate) fn metrics_by_scope(&self) -> Vec<ScopeMetrics> {
        let of_resources = self.resources_of_metrics().into_iter();
        of_resources.flat_map(|of| of.scope_metrics).collect()
    }

    pub(crate) fn log_records(&self) -> Vec<LogRecord> {
        let request = ExportLogsServiceRequest::decode(&self.message[..]).expect("protobuf");
        let scopes = request
            .resource_logs
            .into_iter()
            .flat_map(|of| of.scope_logs);
        scopes.flat_map(|scope| scope.log_records).collect()
    }

    /// The resource of the first spans.
    pub(crate) fn resource(&self) -> Resource {
        let request = ExportTraceServiceRequest::decode(&self.message[..]).expect("protobuf");
        let first = request.resource_spans.into_iter().next().expect("spans");
        first.resource.expect("a resource")
    }
}

async fn accept(
    listener: std::net::TcpListener,
    behaviour: Behaviour,
    kept: Arc<Mutex<Vec<Received>>>,
) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    for number in 0.. {
        let (connection, _) = listener.accept().await.expect("a connection");
        let (kept, behaviour) = (Arc::clone(&kept), behaviour.clone());
        tokio::spawn(async move {
            match behaviour.tls.clone() {
                Some(tls) => {
                    // Whoever has no right certificate gets no farther.
                    if let Ok(secure) = TlsAcceptor::from(tls).accept(connection).await {
                        serve(secure, number, behaviour, kept).await;
                    }
                }
                None => serve(connection, number, behaviour, kept).await,
            }
        });
    }
}

async fn serve(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    number: usize,
    behaviour: Behaviour,
    kept: Arc<Mutex<Vec<Received>>>,
) {
    let service = service_fn(move |request| {
        let (kept, behaviour) = (Arc::clone(&kept), behaviour.clone());
        async move {
            let received = receive(request).await;
            let grpc = received
                .header("content-type")
                .starts_with("application/grpc");
            if number < behaviour.silent_connections.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let takes = behaviour
                .bytes_per_second
                .map_or(0.0, |rate| received.message.len() as f64 / rate as f64);
            tokio::time::sleep(behaviour.delay + Duration::from_secs_f64(takes)).await;
            let too_large = |limit| received.message.len() > limit;
            let refused = behaviour.refused.is_some_and(|is| is(&received));
            let refusal = if behaviour.limit.is_some_and(too_large) {
                // As a Collector has it.
                Some(refusal(grpc, Code::ResourceExhausted, 413))
            } else if refused {
                Some(refusal(grpc, Code::InvalidArgument, 400))
            } else {
                let mut kept = kept.lock().expect("no panic");
                kept.push(received);
                behaviour.refusals.get(kept.len() - 1).cloned().flatten()
            };
            Ok::<_, Infallible>(match refusal {
                Some(refusal) => refusal.map(|()| Full::default().boxed()),
                None => answer(grpc, behaviour),
            })
        }
    });
    let serving = auto::Builder::new(TokioExecutor::new());
    let _ = serving
        .serve_connection(TokioIo::new(connection), service)
        .await;
}

/// Refuses a request, with a message that holds a secret.
pub(crate) fn refusal(grpc: bool, code: Code, status: u16) -> Response<()> {
    match grpc {
        true => Status::new(code, "api-key=hunter2").into_http(),
        false => {
            let refusal = Response::builder().status(status);
            refusal.body(()).expect("an answer")
        }
    }
}

fn answer(grpc: bool, behaviour: Behaviour) -> Response<BoxBody<Bytes, Infallible>> {
    if let Some(elsewhere) = behaviour.redirect {
        let answer = Response::builder()
            .status(307)
            .header("location", elsewhere);
        return answer.body(Full::default().boxed()).expect("an answer");
    }
    if !grpc {
        return Response::new(Full::from(behaviour.answer).boxed());
    }
    // A message that is not compressed, and that all is well.
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let mut message = vec![0];
    let length = u32::try_from(behaviour.answer.len()).expect("short");
    message.extend(length.to_be_bytes());
    message.extend(behaviour.answer);
    let body = Full::from(message);
    let body = body.with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut answer = Response::new(body.boxed());
    let grpc = HeaderValue::from_static("application/grpc");
    answer.headers_mut().insert("content-type", grpc);
    answer
}

async fn receive(request: Request<Incoming>) -> Received {
    let at = Instant::now();
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    let grpc = head
        .headers
        .get("content-type")
        .is_some_and(|it| it == "application/grpc");
    let (encoding, compressed, content) = match grpc {
        // One byte whether it is compressed, four for its length.
        true => ("grpc-encoding", body[0] == 1, body.slice(5..)),
        false => (
            "content-encoding",
            head.headers.contains_key("content-encoding"),
            body.clone(),
        ),
    };
    let encoding = head
        .headers
        .get(encoding)
        .map(|it| it.to_str().expect("text").to_owned());
    let compression = encoding.filter(|_| compressed);
    let message = match compression.as_deref() {
        None => content.to_vec(),
        Some("gzip") => {
            let mut message = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(&content[..]);
            decoder.read_to_end(&mut message).expect("gzip");
            message
        }
        Some("zstd") => zstd::decode_all(&content[..]).expect("zstd"),
        Some(other) => panic!("compressed by {other}"),
    };
    Received {
        at,
        version: head.version,
        path: head.uri.path().to_owned(),
        headers: head.headers,
        compression,
        body,
        message,
    }
}
