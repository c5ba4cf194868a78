//! One request and its response: counted once, whatever becomes of them.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use http::{HeaderMap, StatusCode, header::CONTENT_LENGTH, request::Parts, response};
use http_body::Body;
use opentelemetry::trace::TraceContextExt;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    layer::Trust,
    method::{known_method, original_method, protocol_version, span_name},
};
use crate::{metrics, propagation, tenant, trace::call::CANCELLED};

/// `path` and `endpoint` of requests that no route matched.
pub const UNMATCHED: &str = "unmatched";

/// `status` of requests whose client went away before the whole response was sent.
pub const CLIENT_CLOSED: &str = "client_closed";

/// `status` of requests whose handler panicked.
pub const PANIC: &str = "panic";

/// `status` of requests whose response's body failed while it was being sent.
pub const BODY_ERROR: &str = "body_error";

/// The template of the route that a request matched, such as `/api/products/{id}`, for frameworks other than axum.
///
/// ```
/// use rustok_telemetry::http::RouteTemplate;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(RouteTemplate("/api/products/{id}".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTemplate(pub Cow<'static, str>);

/// From a request's arrival to the end of its response. Dropping it records the metrics.
#[derive(Debug)]
pub(super) struct Exchange {
    method: &'static str,
    route: Option<Route>,
    started: Instant,
    status: Option<StatusCode>,
    end: End,
    /// The count of bytes that were received, if the request has a body.
    received: Option<Arc<AtomicU64>>,
    sent: u64,
    /// Length of the response's body, where the body or the header tells it.
    announced: Option<u64>,
    span: Span,
}

/// How the response's body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Complete,
    Failed,
    Panicked,
}

impl Exchange {
    pub(super) fn begin(request: &Parts, has_body: bool, trust: Trust) -> Self {
        metrics::add_http_active_connections(1);
        let method = known_method(&request.method);
        let route = matched_route(&request.extensions);
        let span = server_span(request, method, route.as_ref().map(Route::template), trust);
        Self {
            method,
            route,
            started: Instant::now(),
            status: None,
            end: End::Open,
            received: has_body.then(Arc::default),
            sent: 0,
            announced: None,
            span,
        }
    }

    /// Runs a part of the exchange within its span. If that panics, the exchange is marked at once: by the time it is
    /// dropped, the panic may have been caught.
    pub(super) fn watch<T>(&mut self, part: impl FnOnce() -> T) -> T {
        struct Watch<'exchange>(&'exchange mut End, &'exchange Span);

        impl Drop for Watch<'_> {
            fn drop(&mut self) {
                if thread::panicking() {
                    *self.0 = End::Panicked;
                    fail(self.1, PANIC);
                }
            }
        }

        let _entered = self.span.enter();
        let watch = Watch(&mut self.end, &self.span);
        let result = part();
        drop(watch);
        result
    }

    /// The count of received bytes, for the request's body.
    pub(super) fn received(&self) -> Option<Arc<AtomicU64>> {
        self.received.clone()
    }

    pub(super) fn respond<B: Body>(&mut self, response: &mut response::Parts, body: &B) {
        propagation::tell_caller(&self.span, &mut response.headers);
        if self.route.is_none()
            && let Some(RouteTemplate(route)) = response.extensions.get()
        {
            // The span has been started, and recording `otel.name` renames no span that has.
            let name = span_name(self.method, Some(route));
            self.span.context().span().update_name(name);
            self.span.record("http.route", &**route);
            self.route = Some(Route::Told(route.clone()));
        }
        self.status = Some(response.status);
        self.span
            .record("http.response.status_code", response.status.as_u16());
        if response.status.is_server_error() {
            self.fail(response.status.as_str());
        }
        let exact = body.size_hint().exact();
        self.announced = exact.or_else(|| content_length(&response.headers));
        // Servers drop such a body without polling it.
        if self.is_without_body(response.status) || self.announced == Some(0) {
            self.complete();
        }
    }

    /// Whether HTTP allows the response no body, whatever the service gives.
    fn is_without_body(&self, status: StatusCode) -> bool {
        let without_body = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
        self.method == "HEAD"
            || self.method == "CONNECT" && status.is_success()
            || status.is_informational()
            || without_body.contains(&status)
    }

    /// Counts a part of the response's body. A server that has sent the announced length does not ask for more.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        if self
            .announced
            .is_some_and(|announced| self.sent >= announced)
        {
            self.complete();
        }
    }

    pub(super) fn complete(&mut self) {
        if self.end == End::Open {
            self.end = End::Complete;
        }
    }

    pub(super) fn body_failed(&mut self) {
        self.end = End::Failed;
        self.fail(BODY_ERROR);
    }

    /// The service itself failed to give a response.
    pub(super) fn service_failed(&mut self) {
        self.status = Some(StatusCode::INTERNAL_SERVER_ERROR);
        self.end = End::Complete;
        self.fail(StatusCode::INTERNAL_SERVER_ERROR.as_str());
    }

    fn fail(&self, error_type: &str) {
        fail(&self.span, error_type);
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn fail(span: &Span, error_type: &str) {
    span.record("error.type", error_type);
    span.record("otel.status_code", "ERROR");
}

impl Drop for Exchange {
    fn drop(&mut self) {
        metrics::add_http_active_connections(-1);
        let status = match (self.end, &self.status) {
            (End::Failed, _) => BODY_ERROR,
            (End::Panicked, _) => PANIC,
            (End::Complete, Some(status)) => status.as_str(),
            (End::Open | End::Complete, _) => {
                self.span.record("rustok.outcome", CANCELLED);
                CLIENT_CLOSED
            }
        };
        let method = self.method;
        let route = self.route.as_ref().map_or(UNMATCHED, Route::template);
        let received = self.received.as_ref();
        let received = received.map_or(0, |received| received.load(Ordering::Relaxed));
        metrics::record_http_request(method, route, status);
        metrics::record_http_request_by_endpoint(method, route, status);
        metrics::record_http_request_duration(method, route, self.started.elapsed().as_secs_f64());
        metrics::record_http_request_size(method, route, received);
        metrics::record_http_response_size(method, route, self.sent);
    }
}

fn server_span(request: &Parts, method: &'static str, route: Option<&str>, trust: Trust) -> Span {
    let span = tracing::info_span!(
        target: "rustok_telemetry::http",
        "http_request",
        otel.name = &*span_name(method, route),
        otel.kind = "server",
        otel.status_code = Empty,
        error.type = Empty,
        rustok.outcome = Empty,
        http.request.method = method,
        http.request.method_original = original_method(request, method),
        http.route = route,
        http.response.status_code = Empty,
        network.protocol.version = protocol_version(request.version),
        url.path = request.uri.path(),
        url.scheme = request.uri.scheme_str(),
        tenant_id = Empty,
    );
    if span.is_disabled() {
        // Nobody is told who called.
        return span;
    }
    if trust == Trust::Nothing {
        propagation::begin_trace(&span, &request.headers);
        return span;
    }
    let caller = propagation::extract_headers_within_current(&request.headers);
    if trust == Trust::TraceAndTenant {
        tenant::set_default_on(&span, propagation::named_in(&caller));
    }
    propagation::set_parent(&span, caller);
    span
}

/// The route that a request matched, as whoever routed it keeps it.
#[derive(Debug)]
enum Route {
    Told(Cow<'static, str>),
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
}

impl Route {
    fn template(&self) -> &str {
        match self {
            Self::Told(template) => template,
            #[cfg(feature = "axum")]
            Self::Matched(path) => path.as_str(),
        }
    }
}

fn matched_route(extensions: &http::Extensions) -> Option<Route> {
    if let Some(RouteTemplate(route)) = extensions.get() {
        return Some(Route::Told(route.clone()));
    }
    #[cfg(feature = "axum")]
    if let Some(path) = extensions.get::<axum::extract::MatchedPath>() {
        return Some(Route::Matched(path.clone()));
    }
    None
}
