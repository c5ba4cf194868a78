//! The tower layer for servers.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    attributes::{Proxies, SpanAttributes},
    body::ResponseBody,
    exchange::RequestTracker,
    received::ReceivedSize,
};

/// Makes the server span and the `rustok_http_*` metrics of every request. See the [module](super).
///
/// Requests below `/api/_health/` are left out, so that probes and scrapes don't appear in the service's figures.
#[derive(Debug, Clone, Copy, Default)]
pub struct TelemetryLayer {
    trust: Trust,
    attributes: SpanAttributes,
}

/// What the layer believes of a caller's headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Trust {
    Nothing,
    #[default]
    Trace,
    TraceAndTenant,
}

impl TelemetryLayer {
    /// The layer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the [tenant](crate::tenant) of a request from its caller: the entry `tenant_id` of the baggage becomes that
    /// of the request's span, and so of everything within it, until [`tenant::set`](crate::tenant::set) names another.
    ///
    /// Only for internal services, which nobody but the service's own can reach: anybody can write a header. Without
    /// this the entry is ignored, and not passed on either. What it takes for a tenant, and what overrules it, is told
    /// in [who decides](crate::propagation#trust). `OTEL_PROPAGATORS` must name `baggage`, as it does by default, or
    /// `jaeger`. Without effect on a [public edge](Self::public_edge).
    ///
    /// ```
    /// use rustok_telemetry::http::TelemetryLayer;
    ///
    /// let layer = TelemetryLayer::new().tenant_from_baggage();
    /// ```
    #[must_use = "this makes a layer and changes none"]
    pub fn tenant_from_baggage(mut self) -> Self {
        if self.trust == Trust::Trace {
            self.trust = Trust::TraceAndTenant;
        }
        self
    }

    /// Takes nothing from a request's caller, for services that strangers can reach.
    ///
    /// The request's span begins a trace of its own, and the configured sampler decides about it as about any root
    /// span: a stranger neither turns recording on nor off. The span has a link to the caller's span, if the headers name
    /// one. The caller's trace state and baggage are not taken over, so outgoing requests and events don't carry them,
    /// and its `tenant_id` is not believed: this overrules [`tenant_from_baggage`](Self::tenant_from_baggage), in either
    /// order. The response's `traceresponse` header names the new trace.
    ///
    /// See [who decides](crate::propagation#trust).
    ///
    /// ```
    /// use rustok_telemetry::http::TelemetryLayer;
    ///
    /// let layer = TelemetryLayer::new().public_edge();
    /// ```
    #[must_use = "this makes a layer and changes none"]
    pub fn public_edge(mut self) -> Self {
        self.trust = Trust::Nothing;
        self
    }

    /// Records `https` as `url.scheme`, for a service that its clients reach by TLS. A request over HTTP/1 does not
    /// tell its scheme, and is taken for `http` otherwise.
    #[must_use = "this makes a layer and changes none"]
    pub fn https(mut self) -> Self {
        self.attributes.https = true;
        self
    }

    /// Records `server.address` and `server.port`: from the URI, if it is absolute or came over HTTP/2, else from the
    /// `Host` header. An address longer than 253 bytes is not recorded, nor a port that is not told.
    #[must_use = "this makes a layer and changes none"]
    pub fn server_address(mut self) -> Self {
        self.attributes.server_address = true;
        self
    }

    /// Records `client.address`, the IP address of the client: that of the connection, from axum's `ConnectInfo` or a
    /// [`PeerAddress`](super::PeerAddress) among the request's extensions, unless a proxy tells it.
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
    #[must_use = "this makes a layer and changes none"]
    pub fn client_address(mut self) -> Self {
        self.attributes.client_address = true;
        self
    }

    /// Records `user_agent.original`, the first 256 bytes of the `User-Agent` header.
    #[must_use = "this makes a layer and changes none"]
    pub fn user_agent(mut self) -> Self {
        self.attributes.user_agent = true;
        self
    }

    /// Believes the `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-For` headers of so many proxies in a row,
    /// for `url.scheme`, [`server.address`](Self::server_address) and [`client.address`](Self::client_address).
    ///
    /// Of a list, to which each proxy appends, the element of the outermost of them is taken: with one proxy the last.
    /// What is before it was written by the client. Only for a service that cannot be reached but by these proxies.
    ///
    /// ```
    /// use rustok_telemetry::http::TelemetryLayer;
    ///
    /// let layer = TelemetryLayer::new().client_address().trust_x_forwarded(1);
    /// ```
    #[must_use = "this makes a layer and changes none"]
    pub fn trust_x_forwarded(mut self, proxies: usize) -> Self {
        self.attributes.proxies = Proxies::XForwarded(proxies);
        self
    }

    /// Like [`trust_x_forwarded`](Self::trust_x_forwarded), in place of it: believes the `Forwarded` header of RFC
    /// 7239.
    ///
    /// Proxies that write the other headers pass a `Forwarded` header of the client on, so that only one kind can be
    /// believed.
    #[must_use = "this makes a layer and changes none"]
    pub fn trust_forwarded(mut self, proxies: usize) -> Self {
        self.attributes.proxies = Proxies::Forwarded(proxies);
        self
    }

    /// The same layer with axum's body in the response, as `axum::serve` wants it of a service that is no `Router`.
    ///
    /// Prefer [`Router::layer`](axum::Router::layer), behind which the route is known: around a router, requests count
    /// as [`UNMATCHED`](super::UNMATCHED) unless the response [tells the route](super#labels).
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
}

impl<S> Layer<S> for TelemetryLayer {
    type Service = TelemetryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TelemetryService {
            inner,
            trust: self.trust,
            attributes: self.attributes,
        }
    }
}

/// The service that [`TelemetryLayer`] makes.
#[derive(Debug, Clone)]
pub struct TelemetryService<S> {
    inner: S,
    trust: Trust,
    attributes: SpanAttributes,
}

impl<S, Received, Sent> Service<Request<Received>> for TelemetryService<S>
where
    S: Service<Request<Received>, Response = Response<Sent>>,
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
        if request.uri().path().starts_with(HEALTH_PREFIX) {
            return ResponseFuture {
                inner: self.inner.call(request),
                exchange: None,
            };
        }
        let (parts, mut body) = request.into_parts();
        let received = ReceivedSize::of(&mut body, &parts.headers);
        let mut exchange = RequestTracker::begin(&parts, received, self.trust, self.attributes);
        let request = Request::from_parts(parts, body);
        let inner = exchange.watch(|| self.inner.call(request));
        ResponseFuture {
            inner,
            exchange: Some(exchange),
        }
    }
}

/// Where the health routes live; they are not counted.
pub(super) const HEALTH_PREFIX: &str = "/api/_health/";

pin_project! {
    /// The future of [`TelemetryService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        exchange: Option<RequestTracker>,
    }
}

impl<F, Sent, Error> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<Sent>, Error>>,
    Sent: Body,
{
    type Output = Result<Response<ResponseBody<Sent>>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(match this.exchange {
            Some(exchange) => exchange.watch(|| this.inner.poll(context)),
            None => this.inner.poll(context),
        });
        let mut exchange = this.exchange.take();
        Poll::Ready(match result {
            Ok(response) => {
                let (mut parts, body) = response.into_parts();
                if let Some(exchange) = &mut exchange {
                    exchange.respond(&mut parts, &body);
                }
                Ok(Response::from_parts(
                    parts,
                    ResponseBody::new(body, exchange),
                ))
            }
            Err(error) => {
                if let Some(exchange) = &mut exchange {
                    exchange.service_failed();
                }
                Err(error)
            }
        })
    }
}
