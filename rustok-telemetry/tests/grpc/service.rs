//! A service with a method of each kind, whose calls end as their first message says, and its client.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, pending},
    net::SocketAddr,
    pin::Pin,
    str::FromStr,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt, stream};
use http::uri::PathAndQuery;
use rustok_telemetry::{
    grpc::{ClientLayer, ClientService, ServerLayer},
    tenant,
};
use tokio::{sync::oneshot, time::timeout};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    client::Grpc as Client,
    server::{Grpc, NamedService},
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower::{Layer, Service, service_fn};

pub(crate) const SERVICE: &str = "test.v1.Kinds";

/// Ample time for what takes milliseconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The deadline of calls that exceed it.
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);

/// In the metadata, the messages and the errors of every call.
pub(crate) const SECRET: &str = "hunter2";

/// The four kinds of methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Unary,
    ClientStream,
    ServerStream,
    Bidirectional,
}

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Ok,
    /// An error of the server.
    Internal,
    /// An error of the caller.
    NotFound,
    Panic,
    Cancelled,
    Deadline,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [
        Self::Unary,
        Self::ClientStream,
        Self::ServerStream,
        Self::Bidirectional,
    ];

    pub(crate) fn method(self) -> String {
        format!("{self:?}")
    }

    pub(crate) fn full_name(self) -> String {
        format!("{SERVICE}/{self:?}")
    }

    pub(crate) fn streams_responses(self) -> bool {
        matches!(self, Self::ServerStream | Self::Bidirectional)
    }

    pub(crate) fn streams_requests(self) -> bool {
        matches!(self, Self::ClientStream | Self::Bidirectional)
    }
}

impl End {
    pub(crate) const ALL: [Self; 6] = [
        Self::Ok,
        Self::Internal,
        Self::NotFound,
        Self::Panic,
        Self::Cancelled,
        Self::Deadline,
    ];

    /// Whether the handler waits for ever.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Self::Cancelled | Self::Deadline)
    }
}

impl FromStr for End {
    type Err = Status;

    fn from_str(text: &str) -> Result<Self, Status> {
        let named = |end: &Self| text.starts_with(&format!("{end:?} "));
        let end = Self::ALL.into_iter().find(named);
        end.ok_or_else(|| Status::invalid_argument("no end"))
    }
}

/// The service, by hand as tonic's generated code is.
#[derive(Debug, Clone)]
pub(crate) struct Kinds;

impl NamedService for Kinds {
    const NAME: &'static str = SERVICE;
}

type Messages = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

impl Service<http::Request<Body>> for Kinds {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
            let method = request.uri().path().rsplit('/').next().unwrap_or_default();
            Ok(match method {
                "Unary" => {
                    let handler = service_fn(|request: Request<String>| async move {
                        respond(&request.into_inner()).await
                    });
                    grpc.unary(handler, request).await
                }
                "ClientStream" => {
                    let handler = service_fn(|request: Request<Streaming<String>>| async move {
                        let mut requests = request.into_inner();
                        let first = requests.message().await?.unwrap_or_default();
                        if !End::from_str(&first)?.waits() {
                            while requests.message().await?.is_some() {}
                        }
                        respond(&first).await
                    });
                    grpc.client_streaming(handler, request).await
                }
                "ServerStream" => {
                    let handler = service_fn(|request: Request<String>| async move {
                        responses(&request.into_inner(), None)
                    });
                    grpc.server_streaming(handler, request).await
                }
                "Bidirectional" => {
                    let handler = service_fn(|request: Request<Streaming<String>>| async move {
                        let mut requests = request.into_inner();
                        let first = requests.message().await?.unwrap_or_default();
                        responses(&first, Some(requests))
                    });
                    grpc.streaming(handler, request).await
                }
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

async fn respond(first: &str) -> Result<Response<String>, Status> {
    tenant::set("acme");
    let message = message_of(first.parse()?).await?;
    Ok(with_metadata(message))
}

fn with_metadata<T>(message: T) -> Response<T> {
    let mut response = Response::new(message);
    let secret = SECRET.parse().expect("metadata");
    response.metadata_mut().insert("x-secret", secret);
    response
}

/// Three messages, or one and an end.
fn responses(
    first: &str,
    requests: Option<Streaming<String>>,
) -> Result<Response<Messages>, Status> {
    tenant::set("acme");
    let end: End = first.parse()?;
    let messages = stream::iter(0..3).then(move |index| async move {
        match index {
            0 => Ok(SECRET.to_owned()),
            _ => {
                // tonic sends what it has when the next message is not ready, and a reset discards what has not been
                // read.
                tokio::time::sleep(Duration::from_millis(20)).await;
                message_of(end).await
            }
        }
    });
    // The requests are read to their end before the second message.
    let rest = stream::unfold(requests, |requests| async move {
        let mut requests = requests?;
        let request = requests.message().await.ok()??;
        Some((request, Some(requests)))
    });
    let responses = async move {
        let rest: Vec<String> = match end.waits() {
            true => Vec::new(),
            false => rest.collect().await,
        };
        drop(rest);
        messages
    };
    Ok(with_metadata(
        stream::once(responses).flatten().boxed() as Messages
    ))
}

async fn message_of(end: End) -> Result<String, Status> {
    match end {
        End::Ok => Ok(SECRET.to_owned()),
        End::Internal => Err(Status::internal(SECRET)),
        End::NotFound => Err(Status::not_found(SECRET)),
        End::Panic => panic!("on purpose"),
        End::Cancelled | End::Deadline => pending().await,
    }
}

/// Serves on a free port.
pub(crate) async fn serve(layer: ServerLayer) -> SocketAddr {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = incoming.local_addr().expect("an address");
    let server = Server::builder().layer(layer).add_service(Kinds);
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

/// A layer that knows the methods.
pub(crate) fn server_layer() -> ServerLayer {
    let names = Kind::ALL.map(Kind::full_name);
    ServerLayer::new().known_methods(names.iter().map(String::as_str))
}

pub(crate) fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).expect("an address")
}

pub(crate) type Instrumented = ClientService<Channel>;

pub(crate) async fn connect(address: SocketAddr) -> Instrumented {
    let endpoint = endpoint(address);
    let layer = ClientLayer::new().server(endpoint.uri());
    layer.layer(within(endpoint.connect()).await.expect("a connection"))
}

pub(crate) fn path(name: &str) -> PathAndQuery {
    format!("/{name}").parse().expect("a path")
}

pub(crate) fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let secret = format!("Bearer {SECRET}").parse().expect("metadata");
    request.metadata_mut().insert("authorization", secret);
    request
}

/// Makes a call of a kind with a first message for the end. A stream of requests has three messages, or one if the
/// handler waits.
///
/// Returns the responses, or the status of a call without any. A call that is to be cancelled is dropped as soon as its
/// handler waits, and a stream of responses after the deadline.
pub(crate) async fn call(
    client: Instrumented,
    kind: Kind,
    end: End,
) -> Result<Vec<String>, Status> {
    let first = format!("{end:?} {SECRET}");
    // hyper sends requests on after the responses are dropped, so the stream of requests ends with this call.
    let (_open, closed) = oneshot::channel::<Infallible>();
    let requests = match end.waits() {
        true => stream::iter([first.clone()])
            .chain(stream::once(closed).filter_map(|_| async { None }))
            .boxed(),
        false => stream::iter(vec![first.clone(); 3]).boxed(),
    };
    let path = path(&kind.full_name());
    let codec = ProstCodec::<String, String>::default();
    let mut grpc = Client::new(client);
    grpc.ready()
        .await
        .map_err(|error| Status::unknown(error.to_string()))?;
    let mut one = request(first);
    let mut many = request(requests);
    if end == End::Deadline {
        one.set_timeout(DEADLINE);
        many.set_timeout(DEADLINE);
    }
    let single = |response: Response<String>| vec![response.into_inner()];
    let call = async {
        match kind {
            Kind::Unary => grpc.unary(one, path, codec).await.map(single),
            Kind::ClientStream => grpc.client_streaming(many, path, codec).await.map(single),
            Kind::ServerStream => read(grpc.server_streaming(one, path, codec).await?, end).await,
            Kind::Bidirectional => read(grpc.streaming(many, path, codec).await?, end).await,
        }
    };
    match end {
        // The handler of a call without a stream of responses waits by then.
        End::Cancelled => timeout(Duration::from_millis(300), call)
            .await
            .unwrap_or(Ok(Vec::new())),
        _ => within(call).await,
    }
}

async fn read(response: Response<Streaming<String>>, end: End) -> Result<Vec<String>, Status> {
    let mut messages = Vec::new();
    let mut stream = response.into_inner();
    loop {
        let next = match end {
            End::Cancelled if !messages.is_empty() => return Ok(messages),
            End::Deadline => match timeout(DEADLINE, stream.message()).await {
                Ok(next) => next?,
                Err(_) => return Ok(messages),
            },
            _ => stream.message().await?,
        };
        match next {
            Some(message) => messages.push(message),
            None => return Ok(messages),
        }
    }
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    timeout(LIMIT, future).await.expect("in time")
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn eventually(
    what: impl fmt::Display,
    holds: impl Fn() -> bool,
) -> impl Future<Output = ()> {
    let what = what.to_string();
    async move {
        let wait = async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        assert!(timeout(LIMIT, wait).await.is_ok(), "{what}");
    }
}
