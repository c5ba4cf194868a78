//! The tower layer for servers.

use std::{
    borrow::Cow,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::CONTENT_TYPE};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;
use tracing::{Span, field::Empty};

use super::{
    ResponseBody, ResponseFuture,
    call::{GrpcCall, SERVER},
    excluded::Excluded,
    messages::Messages,
    method::{self, Method},
};
use crate::request::{Trust, count};

/// Creates a server span for each call and records the `rustok_grpc_server_*` metrics. See the [module](super).
///
/// Calls of the health and reflection services are excluded; see [`exclude_services`](Self::exclude_services). Requests
/// whose content type is not that of gRPC are passed on and not recorded.
#[derive(Debug, Clone, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct ServerLayer {
    options: Arc<Options>,
}

#[derive(Debug, Clone, Default)]
struct Options {
    trust: Trust,
    excluded: Excluded,
    timeout: Option<Duration>,
}

impl ServerLayer {
    /// Returns a layer with the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares methods as `{service}/{method}`, so that they are [known](super#labels) before their first success.
    ///
    /// Known methods are those of the process, at most 1,000. Malformed names are ignored.
    ///
    /// ```
    /// use rustok_telemetry::grpc::ServerLayer;
    ///
    /// let layer = ServerLayer::new().known_methods(["inventory.v1.Inventory/GetStock"]);
    /// ```
    pub fn known_methods<'name>(self, methods: impl IntoIterator<Item = &'name str>) -> Self {
        for name in methods {
            method::add(name);
        }
        self
    }

    /// Excludes the calls of these services: they get no span and no metrics. Replaces the default, which is
    /// `grpc.health.v1.Health`, `grpc.reflection.v1.ServerReflection` and `grpc.reflection.v1alpha.ServerReflection`.
    pub fn exclude_services(
        mut self,
        services: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.options_mut().excluded = services.into_iter().collect();
        self
    }

    /// Tells the layer the timeout of tonic's server (`Server::timeout`), so that calls which exceed it count as
    /// `DEADLINE_EXCEEDED`. The layer does not enforce it. A deadline of the caller is known without this option.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options_mut().timeout = Some(timeout);
        self
    }

    /// Accepts the [tenant](crate::tenant) that the caller names, like
    /// [`http::TelemetryLayer::tenant_from_baggage`](crate::http::TelemetryLayer::tenant_from_baggage). Only for internal
    /// services. See [trust](crate::propagation#trust) for the rules.
    pub fn tenant_from_baggage(mut self) -> Self {
        self.options_mut().trust.accept_tenant();
        self
    }

    /// Uses no context of the caller, like
    /// [`http::TelemetryLayer::public_edge`](crate::http::TelemetryLayer::public_edge), for public services.
    pub fn public_edge(mut self) -> Self {
        self.options_mut().trust = Trust::Nothing;
        self
    }

    fn options_mut(&mut self) -> &mut Options {
        Arc::make_mut(&mut self.options)
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerService {
            inner,
            options: Arc::clone(&self.options),
        }
    }
}

/// The service of [`ServerLayer`].
#[derive(Debug, Clone)]
pub struct ServerService<S> {
    inner: S,
    options: Arc<Options>,
}

impl<S, Received, Sent> Service<Request<Received>> for ServerService<S>
where
    S: Service<Request<Received>, Response = Response<Sent>>,
    S::Error: 'static,
    Received: Body<Data = Bytes> + 'static,
    Sent: Body<Data = Bytes>,
    Sent::Error: 'static,
{
    type Response = Response<ResponseBody<Sent>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Received>) -> Self::Future {
        let options = &self.options;
        if !is_grpc(request.headers()) || options.excluded.contains(request.uri().path()) {
            return ResponseFuture::new(self.inner.call(request), None);
        }
        let messages = count::<Messages, _>(request.body_mut());
        let method = Method::of(request.uri(), false);
        let headers = request.headers();
        let span = options.trust.span(headers, || span(&method));
        let mut tracker =
            GrpcCall::begin(&SERVER, method, span, headers, options.timeout, messages);
        let inner = tracker.watch(|_| self.inner.call(request));
        ResponseFuture::new(inner, Some(tracker))
    }
}

/// Whether the content type is `application/grpc`, alone or with a message format or parameters.
fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    let rest = content_type.and_then(|text| text.as_bytes().strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

fn span(method: &Method) -> Span {
    let name = method.full_name();
    tracing::info_span!(
        target: "rustok_telemetry::grpc",
        "grpc_request",
        otel.name = name.unwrap_or("grpc"),
        otel.kind = "server",
        otel.status_code = Empty,
        error.type = Empty,
        rustok.outcome = Empty,
        rpc.system.name = "grpc",
        rpc.method = name,
        rpc.method_original = Empty,
        rpc.response.status_code = Empty,
        tenant_id = Empty,
    )
}
