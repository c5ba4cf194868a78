//! One request and its response, counted once.

use std::{sync::Arc, time::Instant};

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
    error_type::ErrorName,
    metrics::{self, current_span},
    operation::{Call, Outcome, OutcomeRecorder},
    propagation, tenant,
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
    call: Call<Request>,
    /// Whether the whole response has been sent.
    pub(super) is_complete: bool,
    options: Arc<Options>,
}

/// Records the metrics of a request.
#[derive(Debug)]
struct Request {
    method: &'static str,
    route: Option<Route>,
    started: Instant,
    status: StatusCode,
    received: ReceivedSize,
    sent: u64,
    /// Length of the response body, if the body or the header declares it.
    declared: Option<u64>,
    /// Whether the response is a stream. Its duration has been recorded.
    is_stream: bool,
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
        let recorder = Request {
            method,
            route,
            started: Instant::now(),
            status: StatusCode::OK,
            received,
            sent: 0,
            declared: None,
            is_stream: false,
        };
        let mut tracker = Self {
            call: Call::begin(span, recorder),
            is_complete: false,
            options: Arc::clone(options),
        };
        if let Some(hook) = &options.on_request {
            tracker.run_hook(hook, request);
        }
        tracker
    }

    fn run_hook<Head>(&mut self, hook: &Hook<Head>, head: &Head) {
        self.call
            .step(|span| (hook(head, &mut SpanFields { span }), None));
    }

    /// Runs a part of the request within its span.
    pub(super) fn watch<T>(&mut self, part: impl FnOnce() -> T) -> T {
        self.call.step(|_| (part(), None))
    }

    pub(super) fn respond<B: Body>(&mut self, response: &mut response::Parts, body: &B) {
        let Call { span, pending } = &mut self.call;
        let request = &mut pending.recorder;
        if self.options.traceresponse {
            propagation::inject_traceresponse(span, &mut response.headers);
        }
        if request.route.as_ref().is_none_or(Route::is_prefix)
            && let Some(route) = Route::from_extensions(&response.extensions)
        {
            // Recording `otel.name` does not rename a span that has started.
            let name = span_name(request.method, Some(route.template()));
            span.context().span().update_name(name);
            span.record("http.route", route.template());
            request.route = Some(route);
        }
        request.status = response.status;
        let status = response.status.as_u16();
        span.record("http.response.status_code", i64::from(status));
        if response.status.is_server_error() {
            // At the head, so that a hook can replace the attribute. The outcome follows with the end of the body.
            Outcome::Error(ErrorName::of_code(status).into()).record(span, false);
        }
        if let Some(hook) = self.options.on_response.clone() {
            self.run_hook(&hook, response);
        }
        let exact = body.size_hint().exact();
        let request = self.request();
        request.declared = exact.or_else(|| content_length(&response.headers));
        // Servers drop an empty body without polling it.
        if request.is_without_body() || request.declared == Some(0) {
            self.is_complete = true;
        } else if !body.is_end_stream() && is_stream(&response.headers, request.declared) {
            request.is_stream = true;
            let Call { span, pending } = &self.call;
            current_span::within(span, || {
                let record = metrics::record_http_request_duration;
                pending.recorder.record_duration(record);
            });
        }
    }

    /// Counts a part of the response body. A server does not poll again after the declared length.
    pub(super) fn sent(&mut self, bytes: usize) {
        let request = self.request();
        request.sent += bytes as u64;
        if request
            .declared
            .is_some_and(|length| request.sent >= length)
        {
            self.is_complete = true;
        }
    }

    pub(super) fn body_failed(&mut self) {
        self.fail(ErrorName::given(BODY_ERROR));
    }

    /// The service returned an error instead of a response.
    pub(super) fn service_failed(&mut self) {
        self.fail(ErrorName::of_code(500));
    }

    fn fail(&mut self, name: ErrorName) {
        self.call.finish(&Outcome::Error(name.into()));
    }

    fn request(&mut self) -> &mut Request {
        &mut self.call.pending.recorder
    }
}

impl Drop for RequestTracker {
    fn drop(&mut self) {
        // Otherwise dropping the call cancels the request.
        if self.is_complete {
            self.call.finish(&Outcome::Ok);
        }
    }
}

impl Request {
    /// Records the time since the request's arrival.
    fn record_duration(&self, record: fn(&str, &str, f64)) {
        let seconds = self.started.elapsed().as_secs_f64();
        record(self.method, self.path(), seconds);
    }

    fn path(&self) -> &str {
        self.route.as_ref().map_or(UNMATCHED, Route::template)
    }

    /// Whether HTTP allows the response no body.
    fn is_without_body(&self) -> bool {
        let without_body = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
        self.method == "HEAD"
            || self.method == "CONNECT" && self.status.is_success()
            || self.status.is_informational()
            || without_body.contains(&self.status)
    }
}

impl OutcomeRecorder for Request {
    fn count(&mut self, outcome: &Outcome) {
        metrics::add_http_active_connections(-1);
        let status = match outcome {
            Outcome::Ok => self.status.as_str(),
            Outcome::Cancelled => CLIENT_CLOSED,
            Outcome::Error(_) | Outcome::Panic => outcome.error_type().unwrap_or(PANIC),
        };
        let (method, path) = (self.method, self.path());
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
