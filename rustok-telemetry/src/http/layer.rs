//! The tower layer for servers.

use std::{
    borrow::Cow,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, request, response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    attributes::Proxies,
    options::{Options, SpanFields},
    received::ReceivedSize,
    request_tracker::{HttpRequest, begin},
};
use crate::request::Trust;

/// Creates a server span for each request and records the `rustok_http_*` metrics. See the [module](super).
///
/// Requests below `/api/_health/` are excluded, so probes and scrapes don't count; see
/// [`exclude_paths`](Self::exclude_paths).
#[derive(Debug, Clone, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct TelemetryLayer {
    options: Arc<Options>,
}

impl TelemetryLayer {
    /// Returns a layer with the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Excludes requests whose path starts with one of these prefixes: they get no span, no metrics and no
    /// `traceresponse` header. Replaces the default, `/api/_health/`.
    ///
    /// ```
    /// use rustok_telemetry::http::TelemetryLayer;
    ///
    /// let layer = TelemetryLayer::new().exclude_paths(["/api/_health/", "/favicon.ico"]);
    /// ```
    pub fn exclude_paths(
        mut self,
        prefixes: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.options_mut().excluded_paths = prefixes.into_iter().map(Into::into).collect();
        self
    }

    /// Calls `hook` when a request arrives, to add attributes to its span. A later call replaces the hook.
    ///
    /// The hook runs within the span, before the inner service. Headers may hold secrets: add only what you name.
    ///
    /// ```
    /// use rustok_telemetry::http::TelemetryLayer;
    ///
    /// let layer = TelemetryLayer::new().on_request(|request, span| {
    ///     if let Some(id) = request.headers.get("x-request-id").and_then(|id| id.to_str().ok()) {
    ///         span.set("request.id", id.to_owned());
    ///     }
    /// });
    /// ```
    pub fn on_request(
        mut self,
        hook: impl Fn(&request::Parts, &mut SpanFields<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().on_request = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` with the head of the response, to add attributes to the request's span. A later call replaces the
    /// hook. A request without a response, because the client went away or the handler panicked, does not call it.
    ///
    /// ```
    /// use rustok_telemetry::http::TelemetryLayer;
    ///
    /// let layer = TelemetryLayer::new().on_response(|response, span| {
    ///     span.set("cache.hit", response.headers.contains_key("age"));
    /// });
    /// ```
    pub fn on_response(
        mut self,
        hook: impl Fn(&response::Parts, &mut SpanFields<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().on_response = Some(Arc::new(hook));
        self
    }

    /// Sets whether responses have the `traceresponse` header, which names the trace. They do by default.
    pub fn traceresponse(mut self, send: bool) -> Self {
        self.options_mut().traceresponse = send;
        self
    }

    /// Accepts the [tenant](crate::tenant) that the caller names: the baggage entry `tenant_id` becomes the tenant of the
    /// request's span and of the work within it, until [`tenant::set`](crate::tenant::set) sets another.
    ///
    /// Only for internal services, because any caller can write a header. Without this option the entry is ignored and
    /// not forwarded. See [trust](crate::propagation#trust) for the rules. `OTEL_PROPAGATORS` must contain `baggage`, as
    /// it does by default, or `jaeger`. Has no effect with [`public_edge`](Self::public_edge).
    pub fn tenant_from_baggage(mut self) -> Self {
        self.options_mut().trust.accept_tenant();
        self
    }

    /// Uses no context of the caller, for public services.
    ///
    /// The span begins a new trace, which the configured sampler decides on as for any root span. It has a link to the
    /// caller's span, if the headers name one. The caller's trace state, baggage and tenant are ignored, and not
    /// forwarded by outgoing requests and events. This overrides [`tenant_from_baggage`](Self::tenant_from_baggage), in
    /// either order. The response header `traceresponse` has the new trace. See [trust](crate::propagation#trust).
    pub fn public_edge(mut self) -> Self {
        self.options_mut().trust = Trust::Nothing;
        self
    }

    /// Records `https` as `url.scheme`, for a service that clients reach by TLS. An HTTP/1 request has no scheme, so
    /// `http` is recorded by default.
    pub fn https(mut self) -> Self {
        self.options_mut().attributes.https = true;
        self
    }

    /// Records `server.address` and `server.port`: from the URI, if it is absolute or came over HTTP/2, else from the
    /// `Host` header. An address longer than 253 bytes is not recorded.
    pub fn server_address(mut self) -> Self {
        self.options_mut().attributes.server_address = true;
        self
    }

    /// Records `client.address`, the IP address of the client: that of the connection, from axum's `ConnectInfo` or a
    /// [`PeerAddress`](super::PeerAddress) in the request's extensions, unless a trusted proxy gives it.
    ///
    /// ```
    /// # #[cfg(feature = "axum")]
    /// # async fn serve(listener: tokio::net::TcpListener, routes: axum::Router) -> std::io::Result<()> {
    /// use std::net::SocketAddr;
    ///
    /// use rustok_telemetry::http::TelemetryLayer;
    ///
    /// let app = routes.layer(TelemetryLayer::new().client_address());
    /// axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
    /// # }
    /// ```
    pub fn client_address(mut self) -> Self {
        self.options_mut().attributes.client_address = true;
        self
    }

    /// Records `user_agent.original`, the first 256 bytes of the `User-Agent` header.
    pub fn user_agent(mut self) -> Self {
        self.options_mut().attributes.user_agent = true;
        self
    }

    /// Trusts the `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-For` headers of this many proxies in a row,
    /// for `url.scheme`, [`server.address`](Self::server_address) and [`client.address`](Self::client_address).
    ///
    /// Each proxy appends to a list. The layer reads the element of the outermost trusted proxy: the last with one proxy.
    /// The client wrote the elements before it. Only for a service that is reachable through these proxies alone.
    pub fn trust_x_forwarded(mut self, proxies: usize) -> Self {
        self.options_mut().attributes.proxies = Proxies::XForwarded(proxies);
        self
    }

    /// Like [`trust_x_forwarded`](Self::trust_x_forwarded), in place of it: trusts the `Forwarded` header of RFC
    /// 7239.
    ///
    /// Proxies that write the other headers pass on a `Forwarded` header of the client, so only one kind can be
    /// trusted.
    pub fn trust_forwarded(mut self, proxies: usize) -> Self {
        self.options_mut().attributes.proxies = Proxies::Forwarded(proxies);
        self
    }

    /// Adds the [health routes](super::health_routes) to a router, and this layer to all of its routes.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use rustok_telemetry::http::TelemetryLayer;
    ///
    /// let app: Router = Router::new().route("/products/{id}", get(|| async { "a lamp" }));
    /// let app = TelemetryLayer::new().wrap(app);
    /// ```
    ///
    /// For [`HealthRoutes`](super::HealthRoutes) with options, merge them, and call
    /// [`Router::layer`](axum::Router::layer) with this layer.
    ///
    /// # Panics
    ///
    /// If the router has one of the health routes already.
    #[cfg(feature = "axum")]
    pub fn wrap<S>(self, routes: axum::Router<S>) -> axum::Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        routes.merge(super::health_routes()).layer(self)
    }

    /// Returns the layer with axum's body type in the response, which `axum::serve` needs for a service that is not a
    /// `Router`.
    ///
    /// Prefer [`Router::layer`](axum::Router::layer), where the route is known: around a router, requests count as
    /// [`UNMATCHED`](super::UNMATCHED) unless the response [has the route](super#labels).
    ///
    /// ```
    /// use axum::{Router, ServiceExt, extract::Request};
    /// use rustok_telemetry::http::TelemetryLayer;
    /// use tower::Layer;
    ///
    /// # async fn serve(listener: tokio::net::TcpListener, routes: Router) -> std::io::Result<()> {
    /// let app = TelemetryLayer::new().axum_body().layer(routes);
    /// axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await
    /// # }
    /// ```
    #[cfg(feature = "axum")]
    pub fn axum_body(self) -> super::AxumTelemetryLayer {
        super::AxumTelemetryLayer(self)
    }

    fn options_mut(&mut self) -> &mut Options {
        Arc::make_mut(&mut self.options)
    }
}

impl<S> Layer<S> for TelemetryLayer {
    type Service = TelemetryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TelemetryService {
            inner,
            options: Arc::clone(&self.options),
        }
    }
}

/// A response body that counts the bytes that are sent, and finishes the request after the last one.
pub type ResponseBody<B> = crate::request::ResponseBody<B, HttpRequest>;

/// The future of [`TelemetryService`].
pub type ResponseFuture<F> = crate::request::ResponseFuture<F, HttpRequest>;

/// The service of [`TelemetryLayer`].
#[derive(Debug, Clone)]
pub struct TelemetryService<S> {
    inner: S,
    options: Arc<Options>,
}

impl<S, Received, Sent> Service<Request<Received>> for TelemetryService<S>
where
    S: Service<Request<Received>, Response = Response<Sent>>,
    S::Error: 'static,
    Received: Body + 'static,
    Sent: Body,
{
    type Response = Response<ResponseBody<Sent>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Received>) -> Self::Future {
        if self.options.excludes(request.uri().path()) {
            return ResponseFuture::new(self.inner.call(request), None);
        }
        let (parts, mut body) = request.into_parts();
        let received = ReceivedSize::of(&mut body, &parts.headers);
        let mut tracker = begin(&parts, received, &self.options);
        let request = Request::from_parts(parts, body);
        let inner = tracker.watch(|_| self.inner.call(request));
        ResponseFuture::new(inner, Some(tracker))
    }
}
