//! The tower layer for clients.

use std::{
    borrow::Cow,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, uri::Authority};
use http_body::Body;
use tonic::GrpcMethod;
use tower_layer::Layer;
use tower_service::Service;
use tracing::{Span, field::Empty};

use super::{
    ResponseBody, ResponseFuture,
    call::{CLIENT, GrpcCall},
    excluded::Excluded,
    messages::Messages,
    method::Method,
};
use crate::{propagation, request::count, trace::native};

/// Creates a client span for each call, records the `rustok_grpc_client_*` metrics, and injects the span's context into
/// the metadata. See the [module](super).
///
/// Calls of the health and reflection services are excluded; see [`exclude_services`](Self::exclude_services).
#[derive(Debug, Clone, Default)]
#[must_use = "a layer does nothing until it is added to a client"]
pub struct ClientLayer {
    options: Arc<Options>,
}

#[derive(Debug, Clone, Default)]
struct Options {
    sends_tenant: bool,
    server: Option<Authority>,
    excluded: Excluded,
}

impl ClientLayer {
    /// Returns a layer that sends the trace and no tenant.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records `server.address` and `server.port` of this URI, which the requests to a tonic `Channel` do not contain:
    /// `ClientLayer::new().server(endpoint.uri())`.
    pub fn server(mut self, uri: &Uri) -> Self {
        self.options_mut().server = uri.authority().cloned();
        self
    }

    /// Also sends the current [tenant](crate::tenant), as the baggage entry `tenant_id`.
    ///
    /// Only for clients of internal services: every receiver can read it. The receiver accepts it with
    /// [`ServerLayer::tenant_from_baggage`](super::ServerLayer::tenant_from_baggage). A tenant that is
    /// [not valid](crate::propagation#trust) is not sent.
    pub fn send_tenant(mut self) -> Self {
        self.options_mut().sends_tenant = true;
        self
    }

    /// Excludes the calls of these services: they get no span and no metrics, and their metadata no context. Replaces the
    /// default, which is that of [`ServerLayer::exclude_services`](super::ServerLayer::exclude_services).
    pub fn exclude_services(
        mut self,
        services: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.options_mut().excluded = services.into_iter().collect();
        self
    }

    fn options_mut(&mut self) -> &mut Options {
        Arc::make_mut(&mut self.options)
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ClientService {
            inner,
            options: Arc::clone(&self.options),
        }
    }
}

/// The service of [`ClientLayer`].
#[derive(Debug, Clone)]
pub struct ClientService<S> {
    inner: S,
    options: Arc<Options>,
}

impl<S, Sent, Received> Service<Request<Sent>> for ClientService<S>
where
    S: Service<Request<Sent>, Response = Response<Received>>,
    S::Error: 'static,
    Sent: Body<Data = Bytes> + 'static,
    Received: Body<Data = Bytes>,
    Received::Error: 'static,
{
    type Response = Response<ResponseBody<Received>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Sent>) -> Self::Future {
        if self.options.excluded.contains(request.uri().path()) {
            return ResponseFuture::new(self.inner.call(request), None);
        }
        let messages = count::<Messages, _>(request.body_mut());
        // Generated clients name the method in an extension.
        let is_generated = request.extensions().get::<GrpcMethod<'static>>().is_some();
        let method = Method::of(request.uri(), is_generated);
        let span = self.options.span(&method, request.uri());
        span.in_scope(|| self.options.inject(request.headers_mut()));
        let mut tracker = GrpcCall::begin(&CLIENT, method, span, request.headers(), None, messages);
        let inner = tracker.watch(|_| self.inner.call(request));
        ResponseFuture::new(inner, Some(tracker))
    }
}

impl Options {
    fn inject(&self, headers: &mut HeaderMap) {
        if self.sends_tenant {
            propagation::inject_headers_with_tenant(headers);
        } else {
            propagation::inject_headers(headers);
        }
    }

    fn span(&self, method: &Method, uri: &Uri) -> Span {
        let name = method.full_name();
        let server = self.server.as_ref().or_else(|| uri.authority());
        native::create(|| {
            tracing::info_span!(
                target: "rustok_telemetry::grpc",
                "grpc_client_request",
                otel.name = name.unwrap_or("grpc"),
                otel.kind = "client",
                otel.status_code = Empty,
                error.type = Empty,
                rustok.outcome = Empty,
                rpc.system.name = "grpc",
                rpc.method = name,
                rpc.method_original = Empty,
                rpc.response.status_code = Empty,
                server.address = server.map(Authority::host),
                server.port = server.and_then(Authority::port_u16).map(i64::from),
            )
        })
    }
}
