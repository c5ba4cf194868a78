//! One request and its response, counted once.

use std::{sync::Arc, thread, time::Instant};

use http::{StatusCode, request::Parts, response};
use http_body::Body;
use opentelemetry::trace::TraceContextExt;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    body::content_length,
    method::{known_method, original_method, protocol_version, span_name},
    options::{Hook, Options, SpanFields, Trust},
    received::ReceivedSize,
    route::{Route, UNMATCHED},
    stream::is_stream,
};
use crate::{
    metrics, propagation, tenant,
    trace::{CANCELLED, panics},
};

/// `status` of requests whose client went away before the whole response was sent.
pub const CLIENT_CLOSED: &str = "client_closed";

/// `status` of requests whose handler panicked.
pub const PANIC: &str = "panic";

/// `status` of requests whose response body failed while it was being sent.
pub const BODY_ERROR: &str = "body_error";

/// Tracks a request until its response has been sent. Dropping the tracker records the metrics.
#[derive(Debug)]
pub(super) struct RequestTracker {
    method: &'static str,
    route: Option<Route>,
    started: Instant,
    status: Option<StatusCode>,
    end: End,
    received: ReceivedSize,
    sent: u64,
    /// Length of the response body, if the body or the header declares it.
    declared: Option<u64>,
    /// Whether the response is a stream. Its duration has been recorded.
    is_stream: bool,
    span: Span,
    options: Arc<Options>,
}

/// The end of the response body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Complete,
    Failed,
    Panicked,
}

impl RequestTracker {
    pub(super) fn begin(request: &Parts, received: ReceivedSize, options: &Arc<Options>) -> Self {
        metrics::add_http_active_connections(1);
        let method = known_method(&request.method);
        let route = Route::of_request(&request.extensions);
        let span = server_span(
            request,
            method,
            route.as_ref().map(Route::template),
            options,
        );
        let mut tracker = Self {
            method,
            route,
            started: Instant::now(),
            status: None,
            end: End::Open,
            received,
            sent: 0,
            declared: None,
            is_stream: false,
            span,
            options: Arc::clone(options),
        };
        if let Some(hook) = &options.on_request {
            tracker.run_hook(hook, request);
        }
        tracker
    }

    fn run_hook<Head>(&mut self, hook: &Hook<Head>, head: &Head) {
        let span = self.span.clone();
        self.watch(|| hook(head, &mut SpanFields { span: &span }));
    }

    /// Runs a part of the request within its span. A panic is recorded at once, because it may have been caught by the time
    /// the tracker is dropped.
    pub(super) fn watch<T>(&mut self, part: impl FnOnce() -> T) -> T {
        struct Watch<'request>(&'request mut End, &'request Span);

        impl Drop for Watch<'_> {
            fn drop(&mut self) {
                if thread::panicking() {
                    *self.0 = End::Panicked;
                    panics::report(true);
                    fail(self.1, PANIC);
                }
            }
        }

        panics::forget();
        let _entered = self.span.enter();
        let watch = Watch(&mut self.end, &self.span);
        let result = part();
        drop(watch);
        result
    }

    pub(super) fn respond<B: Body>(&mut self, response: &mut response::Parts, body: &B) {
        if self.options.traceresponse {
            propagation::inject_traceresponse(&self.span, &mut response.headers);
        }
        if self.route.as_ref().is_none_or(Route::is_prefix)
            && let Some(route) = Route::from_extensions(&response.extensions)
        {
            // Recording `otel.name` does not rename a span that has started.
            let name = span_name(self.method, Some(route.template()));
            self.span.context().span().update_name(name);
            self.span.record("http.route", route.template());
            self.route = Some(route);
        }
        self.status = Some(response.status);
        self.span.record(
            "http.response.status_code",
            i64::from(response.status.as_u16()),
        );
        if response.status.is_server_error() {
            self.fail(response.status.as_str());
        }
        if let Some(hook) = self.options.on_response.clone() {
            self.run_hook(&hook, response);
        }
        let exact = body.size_hint().exact();
        self.declared = exact.or_else(|| content_length(&response.headers));
        // Servers drop an empty body without polling it.
        if self.is_without_body(response.status) || self.declared == Some(0) {
            self.complete();
        } else if !body.is_end_stream() && is_stream(&response.headers, self.declared) {
            self.is_stream = true;
            self.record_duration(metrics::record_http_request_duration);
        }
    }

    /// Records the time since the request's arrival.
    fn record_duration(&self, record: fn(&str, &str, f64)) {
        record(
            self.method,
            self.path(),
            self.started.elapsed().as_secs_f64(),
        );
    }

    fn path(&self) -> &str {
        self.route.as_ref().map_or(UNMATCHED, Route::template)
    }

    /// Whether HTTP allows the response no body.
    fn is_without_body(&self, status: StatusCode) -> bool {
        let without_body = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
        self.method == "HEAD"
            || self.method == "CONNECT" && status.is_success()
            || status.is_informational()
            || without_body.contains(&status)
    }

    /// Counts a part of the response body. A server does not poll again after the declared length.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        if self.declared.is_some_and(|declared| self.sent >= declared) {
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

    /// The service returned an error instead of a response.
    pub(super) fn service_failed(&mut self) {
        self.status = Some(StatusCode::INTERNAL_SERVER_ERROR);
        self.end = End::Complete;
        self.fail(StatusCode::INTERNAL_SERVER_ERROR.as_str());
    }

    fn fail(&self, error_type: &str) {
        fail(&self.span, error_type);
    }
}

fn fail(span: &Span, error_type: &str) {
    span.record("error.type", error_type);
    span.record("otel.status_code", "ERROR");
}

impl Drop for RequestTracker {
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
        let path = self.path();
        metrics::record_http_request(method, path, status);
        metrics::record_http_request_by_endpoint(method, path, status);
        self.record_duration(match self.is_stream {
            true => metrics::record_http_stream_duration,
            false => metrics::record_http_request_duration,
        });
        if let Some(received) = self.received.bytes() {
            metrics::record_http_request_size(method, path, received);
        }
        metrics::record_http_response_size(method, path, self.sent);
    }
}

fn server_span(
    request: &Parts,
    method: &'static str,
    route: Option<&str>,
    options: &Options,
) -> Span {
    let (trust, attributes) = (options.trust, options.attributes);
    let server = attributes.server(request);
    let (address, port) = server
        .as_ref()
        .map(|(address, port)| (&**address, *port))
        .unzip();
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
        url.scheme = attributes.scheme(request),
        server.address = address,
        server.port = port.flatten(),
        client.address = attributes.client(request).map(tracing::field::display),
        user_agent.original = attributes.user_agent(request),
        tenant_id = Empty,
    );
    if span.is_disabled() {
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
