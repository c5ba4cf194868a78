//! One request and its response, counted once.

use std::{sync::Arc, time::Instant};

use bytes::Buf;
use http::{StatusCode, request::Parts, response};
use http_body::{Body, Frame};
use opentelemetry::trace::TraceContextExt;
use tracing::{Span, field::Empty};

use super::{
    method::{RequestName, known_method, original_method, protocol_version},
    options::{Hook, Options, SpanFields},
    received::{ReceivedSize, content_length},
    route::{Route, UNMATCHED},
    second_layer,
    semantic::ServedRequest,
    stream::is_stream,
};
use crate::{
    error_type::ErrorName,
    metrics::{self, current_span},
    operation::{Outcome, OutcomeRecorder},
    propagation,
    request::{RequestRecorder, Tracker},
    trace::native,
};

/// `status` of requests whose client went away before the whole response was sent.
pub const CLIENT_CLOSED: &str = "client_closed";

/// `status` of requests whose handler panicked.
pub const PANIC: &str = "panic";

/// `status` of requests whose response body failed while it was being sent.
pub const BODY_ERROR: &str = "body_error";

/// Name and target of the span of a request.
pub(super) const SPAN_NAME: &str = "http_request";
pub(super) const SPAN_TARGET: &str = "rustok_telemetry::http";

/// Tracks an HTTP request until its response has been sent.
pub(super) type RequestTracker = Tracker<HttpRequest>;

/// Records the metrics of a request.
#[derive(Debug)]
pub struct HttpRequest {
    method: &'static str,
    route: Option<Route>,
    started: Instant,
    status: StatusCode,
    received: ReceivedSize,
    sent: u64,
    /// Length of the response body, if the body or the header declares it.
    declared: Option<u64>,
    /// Of a stream: the seconds until its head, which have been recorded as the duration.
    stream_head: Option<f64>,
    /// Whether the whole response has been sent.
    is_complete: bool,
    /// For the metrics of OpenTelemetry's conventions, if they are recorded.
    semantic: Option<ServedRequest>,
    options: Arc<Options>,
}

pub(super) fn begin(
    request: &Parts,
    received: ReceivedSize,
    options: &Arc<Options>,
) -> RequestTracker {
    metrics::add_http_active_connections(1);
    second_layer::look();
    let method = known_method(&request.method);
    let route = Route::of_request(&request.extensions);
    let span = server_span(
        request,
        method,
        route.as_ref().map(Route::template),
        options,
    );
    let recorder = HttpRequest {
        method,
        route,
        started: Instant::now(),
        status: StatusCode::OK,
        received,
        sent: 0,
        declared: None,
        stream_head: None,
        is_complete: false,
        semantic: ServedRequest::begin(method, request.version, || {
            options.attributes.scheme(request)
        }),
        options: Arc::clone(options),
    };
    let mut tracker = RequestTracker::begin(span, recorder);
    if let Some(hook) = &options.on_request {
        run_hook(&mut tracker, hook, request);
    }
    tracker
}

fn run_hook<Head>(tracker: &mut RequestTracker, hook: &Hook<Head>, head: &Head) {
    tracker.watch(|span| hook(head, &mut SpanFields { span }));
}

impl RequestRecorder for HttpRequest {
    fn responded<B: Body>(tracker: &mut RequestTracker, response: &mut response::Parts, body: &B) {
        let (span, request) = tracker.parts();
        if request.options.traceresponse {
            propagation::inject_traceresponse(span, &mut response.headers);
        }
        if request.route.as_ref().is_none_or(Route::is_prefix)
            && let Some(route) = Route::from_extensions(&response.extensions)
        {
            // Recording `otel.name` does not rename a span that has started.
            let name = RequestName {
                method: request.method,
                template: Some(route.template()),
            };
            native::context_of(span)
                .span()
                .update_name(name.to_string());
            span.record("http.route", route.template());
            request.route = Some(route);
        }
        request.status = response.status;
        let status = response.status.as_u16();
        if let Some(semantic) = &mut request.semantic {
            semantic.status = Some(status);
        }
        span.record("http.response.status_code", i64::from(status));
        if response.status.is_server_error() {
            // At the head, so that a hook can replace the attribute. The outcome follows with the end of the body.
            Outcome::Error(ErrorName::of_code(status).into()).record(span, false);
        }
        if let Some(hook) = request.options.on_response.clone() {
            run_hook(tracker, &hook, response);
        }
        let (span, request) = tracker.parts();
        let exact = body.size_hint().exact();
        request.declared = exact.or_else(|| content_length(&response.headers));
        // Servers drop an empty body without polling it.
        if request.is_without_body() || request.declared == Some(0) {
            request.is_complete = true;
        } else if !body.is_end_stream() && is_stream(&response.headers, request.declared) {
            let seconds = request.seconds();
            request.stream_head = Some(seconds);
            current_span::within(span, native::context_of, || {
                metrics::record_http_request_duration(request.method, request.path(), seconds);
            });
        }
    }

    /// Counts the data. A server does not poll again after the declared length.
    fn passed<D: Buf>(tracker: &mut RequestTracker, frame: &Frame<D>) {
        let request = tracker.recorder();
        request.sent += frame.data_ref().map_or(0, Buf::remaining) as u64;
        let declared = request.declared;
        request.is_complete |= declared.is_some_and(|length| request.sent >= length);
    }

    fn ended(tracker: &mut RequestTracker) {
        tracker.finish(&Outcome::Ok);
    }

    fn body_failed<E>(tracker: &mut RequestTracker, _: &E) {
        tracker.finish(&Outcome::Error(ErrorName::given(BODY_ERROR).into()));
    }

    fn service_failed<E>(tracker: &mut RequestTracker, _: &E) {
        tracker.finish(&Outcome::Error(ErrorName::of_code(500).into()));
    }

    fn dropped(&mut self, _: &Span) -> Option<Outcome> {
        self.is_complete.then_some(Outcome::Ok)
    }
}

impl HttpRequest {
    /// Returns the time since the request's arrival.
    fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
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

impl OutcomeRecorder for HttpRequest {
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
        let (seconds, received) = (self.seconds(), self.received.bytes());
        match self.stream_head {
            Some(_) => metrics::record_http_stream_duration(method, path, seconds),
            None => metrics::record_http_request_duration(method, path, seconds),
        }
        if let Some(received) = received {
            metrics::record_http_request_size(method, path, received);
        }
        metrics::record_http_response_size(method, path, self.sent);
        if let Some(semantic) = &self.semantic {
            let route = self.route.as_ref().map(Route::template);
            let seconds = self.stream_head.unwrap_or(seconds);
            semantic.end(route, outcome.error_type(), seconds, received, self.sent);
        }
    }
}

fn server_span(
    request: &Parts,
    method: &'static str,
    route: Option<&str>,
    options: &Options,
) -> Span {
    let attributes = options.attributes;
    let server = attributes.server(request);
    let (address, port) = server
        .as_ref()
        .map(|(address, port)| (&**address, *port))
        .unzip();
    let create = || {
        tracing::info_span!(
            target: SPAN_TARGET,
            SPAN_NAME,
            otel.name = %RequestName { method, template: route },
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
        )
    };
    options.trust.span(&request.headers, create)
}
