//! What is recorded of a call, on either side.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Buf;
use http::{HeaderMap, StatusCode, response};
use http_body::{Body, Frame};
use opentelemetry::trace::TraceContextExt;
use tonic::Code;
use tracing::Span;

use super::{
    code,
    deadline::Deadline,
    messages::Messages,
    method::{Method, UNKNOWN_METHOD},
};
use crate::{
    error_type::ErrorName,
    metrics,
    operation::{Outcome, OutcomeRecorder},
    request::{RequestRecorder, Tally, Tracker},
    trace::native,
};

/// `code` of calls whose handler panicked.
pub const PANIC: &str = "panic";

/// Tracks a call until its status has been sent or received.
pub(super) type CallTracker = Tracker<GrpcCall>;

/// Records the metrics of a call.
#[derive(Debug)]
pub struct GrpcCall {
    side: &'static Side,
    method: Method,
    /// The span of a call to a method that is not known yet. The call is counted as started as soon as it is decided.
    undecided: Option<Span>,
    started: Instant,
    deadline: Deadline,
    /// Messages in the request body so far, if the body can be counted.
    requests: Option<Arc<AtomicU64>>,
    recorded_requests: u64,
    responses: Messages,
    http_status: StatusCode,
    /// Set when the call ends, except in a panic.
    code: Option<Code>,
}

/// What differs between servers and clients.
#[derive(Debug)]
pub(super) struct Side {
    is_error: fn(Code) -> bool,
    active: fn(i64),
    started: fn(&str, &str),
    handled: fn(&str, &str, &str),
    duration: fn(&str, &str, f64),
    requests: fn(&str, &str, u64),
    responses: fn(&str, &str, u64),
}

pub(super) static SERVER: Side = Side {
    is_error: code::is_server_error,
    active: metrics::add_grpc_server_active_calls,
    started: metrics::record_grpc_server_started,
    handled: metrics::record_grpc_server_handled,
    duration: metrics::record_grpc_server_duration,
    requests: metrics::record_grpc_server_messages_received,
    responses: metrics::record_grpc_server_messages_sent,
};

pub(super) static CLIENT: Side = Side {
    is_error: code::is_client_error,
    active: metrics::add_grpc_client_active_calls,
    started: metrics::record_grpc_client_started,
    handled: metrics::record_grpc_client_handled,
    duration: metrics::record_grpc_client_duration,
    requests: metrics::record_grpc_client_messages_sent,
    responses: metrics::record_grpc_client_messages_received,
};

impl GrpcCall {
    /// Begins a call whose request body counts `requests`.
    pub(super) fn begin(
        side: &'static Side,
        method: Method,
        span: Span,
        headers: &HeaderMap,
        timeout: Option<Duration>,
        requests: Option<Arc<AtomicU64>>,
    ) -> CallTracker {
        (side.active)(1);
        let started = Instant::now();
        let call = Self {
            side,
            undecided: (!method.is_known()).then(|| span.clone()),
            method,
            started,
            deadline: Deadline::of(headers, timeout, started),
            requests,
            recorded_requests: 0,
            responses: Messages::default(),
            http_status: StatusCode::OK,
            code: None,
        };
        if call.undecided.is_none() {
            call.record_started();
        }
        Tracker::begin(span, call)
    }

    fn record_started(&self) {
        let (service, method) = self.method.labels();
        (self.side.started)(service, method);
    }

    /// Names the call on its span, and counts it as started, unless that has been done.
    fn decide(&mut self) {
        let Some(span) = self.undecided.take() else {
            return;
        };
        match self.method.full_name() {
            Some(name) => {
                // Recording `otel.name` does not rename a span that has started.
                let context = native::context_of(&span);
                context.span().update_name(name.to_owned());
                span.record("rpc.method", name);
            }
            None => {
                span.record("rpc.method", UNKNOWN_METHOD);
                span.record("rpc.method_original", self.method.truncated());
            }
        }
        self.record_started();
    }

    /// Records the messages of the request body that have passed since the last time.
    fn record_requests(&mut self) {
        if let (Some(requests), None) = (&self.requests, &self.undecided) {
            let all = requests.load(Ordering::Relaxed);
            let new = all - self.recorded_requests;
            if new > 0 {
                let (service, method) = self.method.labels();
                (self.side.requests)(service, method, new);
                self.recorded_requests = all;
            }
        }
    }

    /// Records the code on the span.
    fn set_code(&mut self, code: Code, span: &Span) {
        self.code = Some(code);
        span.record("rpc.response.status_code", code::name(code));
    }

    fn error(code: Code) -> Outcome {
        Outcome::Error(ErrorName::given(code::name(code)).into())
    }
}

/// Ends a call with a code, unless it has ended before.
fn end(tracker: &mut CallTracker, code: Code) {
    let (span, call) = tracker.parts();
    if call.code.is_some() {
        return;
    }
    // tonic's servers and clients report an expired deadline as `CANCELLED`.
    let code = match code {
        Code::Cancelled if call.deadline.has_passed() => Code::DeadlineExceeded,
        code => code,
    };
    call.set_code(code, span);
    let outcome = match code {
        code if (call.side.is_error)(code) => GrpcCall::error(code),
        Code::Cancelled => Outcome::Cancelled,
        _ => Outcome::Ok,
    };
    tracker.finish(&outcome);
}

impl RequestRecorder for GrpcCall {
    fn responded<B: Body>(tracker: &mut CallTracker, head: &mut response::Parts, _: &B) {
        let call = tracker.recorder();
        call.http_status = head.status;
        if let Some(code) = code::of_headers(&head.headers) {
            end(tracker, code);
        } else if head.status == StatusCode::OK {
            // The handler exists. A response that begins with its status may be a rejection of any path.
            call.method.learn();
            call.decide();
            call.record_requests();
        }
    }

    fn passed<D: Buf>(tracker: &mut CallTracker, frame: &Frame<D>) {
        if let Some(code) = frame.trailers_ref().and_then(code::of_headers) {
            end(tracker, code);
        } else if let Some(data) = frame.data_ref() {
            let call = tracker.recorder();
            let new = call.responses.count(data);
            if new > 0 {
                let (service, method) = call.method.labels();
                (call.side.responses)(service, method, new);
            }
        }
    }

    fn ended(tracker: &mut CallTracker) {
        let code = code::of_http_status(tracker.recorder().http_status);
        end(tracker, code);
    }

    fn body_failed<E: 'static>(tracker: &mut CallTracker, error: &E) {
        end(tracker, code::of_error(error));
    }

    fn service_failed<E: 'static>(tracker: &mut CallTracker, error: &E) {
        end(tracker, code::of_error(error));
    }

    fn polled(&mut self) {
        self.record_requests();
    }

    fn dropped(&mut self, span: &Span) -> Option<Outcome> {
        if self.deadline.has_passed() {
            self.set_code(Code::DeadlineExceeded, span);
            return Some(Self::error(Code::DeadlineExceeded));
        }
        self.set_code(Code::Cancelled, span);
        None
    }
}

impl OutcomeRecorder for GrpcCall {
    fn count(&mut self, _: &Outcome) {
        (self.side.active)(-1);
        self.decide();
        self.record_requests();
        let (service, method) = self.method.labels();
        // A call without a code has panicked.
        let code = self.code.map_or(PANIC, code::name);
        (self.side.handled)(service, method, code);
        let seconds = self.started.elapsed().as_secs_f64();
        (self.side.duration)(service, method, seconds);
    }
}
