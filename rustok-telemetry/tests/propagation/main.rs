//! The context in the headers of a request is injected into the headers of the next one, in each format.
#![cfg(feature = "axum")]

mod b3;
mod jaeger;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Request},
    routing::get,
};
use http_body_util::BodyExt;
use opentelemetry::{Context, trace::TraceContextExt};
use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseResult, TestRunner},
};
use rustok_telemetry::{
    http::TelemetryLayer,
    propagation::{self, EventContext, TRACE_RESPONSE},
};
use support::with_variables;
use tower::ServiceExt;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";

/// Extracts the context of these headers, from each kind of carrier.
fn extract(headers: &[(&str, &str)]) -> [Context; 2] {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).expect("a name");
        map.append(
            name,
            HeaderValue::from_bytes(value.as_bytes()).expect("a value"),
        );
    }
    let entries = EventContext::from_entries(headers.iter().copied());
    [
        propagation::extract_headers(&map),
        propagation::extract(&entries),
    ]
}

/// The headers of a request that is sent within the context, without a span of this process.
fn forwarded(context: &Context) -> HeaderMap {
    let _current = context.clone().attach();
    let mut headers = HeaderMap::new();
    propagation::inject_headers(&mut headers);
    headers
}

/// The headers of a request that is sent within a span of this process, whose parent is the context.
fn sent_by_child(context: &Context) -> HeaderMap {
    let span = tracing::info_span!(parent: None, "request");
    propagation::set_parent(&span, context.clone());
    let mut headers = HeaderMap::new();
    span.in_scope(|| propagation::inject_headers(&mut headers));
    headers
}

/// The value of a header that is injected once or not at all.
#[track_caller]
fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.to_str().expect("ASCII"));
    assert!(values.next().is_none(), "{name} is repeated");
    value
}

/// Starts telemetry with these formats, and runs a property test.
fn check<S: Strategy>(propagators: &str, strategy: S, test: impl Fn(S::Value) -> TestCaseResult) {
    let variables = [("OTEL_PROPAGATORS", propagators)];
    let telemetry = with_variables(&variables).init().expect("telemetry starts");
    let mut runner = TestRunner::new(Config::with_cases(1_000));
    let result = runner.run(&strategy, test);
    result.unwrap_or_else(|error| panic!("{error}"));
    let _ = telemetry.shutdown();
}

/// Received headers, and what is injected after them.
struct Case {
    headers: Vec<(&'static str, String)>,
    /// Trace id, span id and sampling state of a request that is forwarded without a span.
    forwarded: String,
    /// The sampling state that a child injects with `parentbased_always_off`, and with `parentbased_always_on`.
    states: [&'static str; 2],
}

impl Case {
    fn new(headers: &[(&'static str, &str)], forwarded: &str, states: [&'static str; 2]) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            headers: headers.collect(),
            forwarded: forwarded.to_owned(),
            states,
        }
    }
}

/// Runs the cases once with each sampler. `text` returns trace id, span id and sampling state of injected headers.
fn check_cases(
    propagators: &str,
    sampler: usize,
    cases: &[Case],
    text: impl Fn(&HeaderMap) -> Option<[String; 3]>,
) {
    let samplers = ["parentbased_always_off", "parentbased_always_on"];
    let variables = [
        ("OTEL_PROPAGATORS", propagators),
        ("OTEL_TRACES_SAMPLER", samplers[sampler]),
    ];
    let telemetry = with_variables(&variables).init().expect("telemetry starts");
    for Case {
        headers,
        forwarded: expected,
        states,
    } in cases
    {
        let borrowed: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        for context in extract(&borrowed) {
            let span = context.span().span_context().clone();
            let sent = text(&forwarded(&context)).map(|parts| parts.join(" "));
            let sent = sent.as_deref().map_or("", str::trim_end);
            assert_eq!(sent, expected, "{headers:?}");
            assert_eq!(span.is_valid(), !sent.is_empty(), "{headers:?}");
            assert_eq!(span.is_remote(), !sent.is_empty(), "{headers:?}");
            let [trace, id, state] = text(&sent_by_child(&context)).expect("a span");
            assert_eq!(
                state, states[sampler],
                "{headers:?} with {}",
                samplers[sampler]
            );
            assert_eq!(
                trace == span.trace_id().to_string(),
                span.is_valid(),
                "{headers:?}"
            );
            assert_ne!(id, span.span_id().to_string(), "{headers:?}");
        }
    }
    let _ = telemetry.shutdown();
}

/// What a request left behind.
struct Passed {
    /// The trace and the span of the request, and whether it is sampled.
    trace: String,
    span: String,
    sampled: bool,
    /// The headers of the next request.
    headers: BTreeMap<String, String>,
}

impl Passed {
    #[track_caller]
    fn assert_headers(&self, expected: &[(&str, &str)]) {
        let fill = |(name, value): &(&str, &str)| {
            let value = value.replace("{trace}", &self.trace);
            ((*name).to_owned(), value.replace("{span}", &self.span))
        };
        let expected: BTreeMap<_, _> = expected.iter().map(fill).collect();
        assert_eq!(self.headers, expected);
        assert_ne!(self.span, SPAN);
    }
}

/// Starts telemetry, and sends a request through a service that makes one more request.
async fn pass(variables: &[(&str, &str)], incoming: &[(&str, &str)]) -> Passed {
    async fn next_request() -> String {
        let mut headers = HeaderMap::new();
        propagation::inject_headers(&mut headers);
        let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            format!("{name}\t{}\n", value.to_str().expect("text"))
        };
        headers.iter().map(text).collect()
    }

    let telemetry = with_variables(variables).init().expect("telemetry starts");
    let app = Router::new()
        .route("/", get(next_request))
        .layer(TelemetryLayer::new());
    let mut request = Request::builder().uri("/");
    for (name, value) in incoming {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("infallible");
    let told = response.headers()[TRACE_RESPONSE].to_str().expect("text");
    let told: Vec<_> = told.split('-').map(str::to_owned).collect();
    let body = response.into_body().collect().await.expect("a body");
    let body = String::from_utf8(body.to_bytes().to_vec()).expect("text");
    let _ = telemetry.shutdown();
    let line = |line: &str| {
        let (name, value) = line.split_once('\t')?;
        Some((name.to_owned(), value.to_owned()))
    };
    Passed {
        trace: told[1].clone(),
        span: told[2].clone(),
        sampled: told[3] == "01",
        headers: body.lines().filter_map(line).collect(),
    }
}

async fn pass_in(propagators: &str, incoming: &[(&str, &str)]) -> Passed {
    pass(&[("OTEL_PROPAGATORS", propagators)], incoming).await
}

#[tokio::test]
#[test_fork::fork]
async fn tracecontext() {
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    let incoming = [("traceparent", &*traceparent), ("baggage", "a=1")];
    let passed = pass_in("tracecontext", &incoming).await;
    assert_eq!(passed.trace, TRACE);
    passed.assert_headers(&[("traceparent", "00-{trace}-{span}-01")]);
}

#[tokio::test]
#[test_fork::fork]
async fn baggage() {
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    let incoming = [("traceparent", &*traceparent), ("baggage", "a=1")];
    let passed = pass_in("baggage", &incoming).await;
    assert_ne!(passed.trace, TRACE);
    passed.assert_headers(&[("baggage", "a=1")]);
}

#[tokio::test]
#[test_fork::fork]
async fn b3() {
    let passed = pass_in("b3", &[("b3", &format!("{TRACE}-{SPAN}-1"))]).await;
    assert_eq!(passed.trace, TRACE);
    passed.assert_headers(&[("b3", "{trace}-{span}-1")]);
}

#[tokio::test]
#[test_fork::fork]
async fn b3_reads_several_headers_too() {
    let incoming = [
        ("X-B3-TraceId", TRACE),
        ("X-B3-SpanId", SPAN),
        ("X-B3-Sampled", "0"),
    ];
    let passed = pass_in("b3", &incoming).await;
    assert_eq!((&*passed.trace, passed.sampled), (TRACE, false));
    passed.assert_headers(&[("b3", "{trace}-{span}-0")]);
}

#[tokio::test]
#[test_fork::fork]
async fn b3multi() {
    let incoming = [
        ("X-B3-TraceId", &TRACE[16..]),
        ("X-B3-SpanId", SPAN),
        ("X-B3-ParentSpanId", SPAN),
        ("X-B3-Sampled", "1"),
    ];
    let passed = pass_in("b3multi", &incoming).await;
    assert_eq!(passed.trace, format!("{:0>32}", &TRACE[16..]));
    passed.assert_headers(&[
        ("x-b3-traceid", "{trace}"),
        ("x-b3-spanid", "{span}"),
        ("x-b3-sampled", "1"),
    ]);
}

/// Every process records a debug trace, whatever its sampler does with others. No other format is told.
#[tokio::test]
#[test_fork::fork]
async fn b3_debug_flag_is_passed_on() {
    let variables = [
        ("OTEL_PROPAGATORS", "b3,b3multi,jaeger,tracecontext"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
    ];
    let passed = pass(&variables, &[("b3", &format!("{TRACE}-{SPAN}-d"))]).await;
    assert_eq!((&*passed.trace, passed.sampled), (TRACE, true));
    passed.assert_headers(&[
        ("b3", "{trace}-{span}-d"),
        ("traceparent", "00-{trace}-{span}-01"),
        ("uber-trace-id", "{trace}:{span}:0:3"),
        ("x-b3-flags", "1"),
        ("x-b3-spanid", "{span}"),
        ("x-b3-traceid", "{trace}"),
    ]);
}

#[tokio::test]
#[test_fork::fork]
async fn a_deferred_b3_decision_is_made_here() {
    let passed = pass_in("b3", &[("b3", &format!("{TRACE}-{SPAN}"))]).await;
    assert_eq!((&*passed.trace, passed.sampled), (TRACE, true));
    passed.assert_headers(&[("b3", "{trace}-{span}-1")]);
}

#[tokio::test]
#[test_fork::fork]
async fn a_deferred_b3_decision_may_be_no() {
    let variables = [
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0"),
    ];
    let passed = pass(&variables, &[("b3", &format!("{TRACE}-{SPAN}"))]).await;
    assert_eq!((&*passed.trace, passed.sampled), (TRACE, false));
    passed.assert_headers(&[("b3", "{trace}-{span}-0")]);
}

#[tokio::test]
#[test_fork::fork]
async fn b3_may_forbid_a_trace_that_has_no_ids_yet() {
    let passed = pass_in("b3", &[("b3", "0")]).await;
    assert!(!passed.sampled);
    passed.assert_headers(&[("b3", "{trace}-{span}-0")]);
}

#[tokio::test]
#[test_fork::fork]
async fn b3_can_sample_without_ids() {
    let variables = [
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
    ];
    let passed = pass(&variables, &[("X-B3-Sampled", "1")]).await;
    assert!(passed.sampled);
    passed.assert_headers(&[("b3", "{trace}-{span}-1")]);
}

#[tokio::test]
#[test_fork::fork]
async fn jaeger() {
    let uber = format!("{}:{SPAN}:0:1", &TRACE[17..]);
    let incoming = [
        ("uber-trace-id", uber.replace(':', "%3A")),
        ("uberctx-color", "dark%20red".to_owned()),
    ];
    let incoming = incoming
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let passed = pass_in("jaeger", &incoming).await;
    assert_eq!(passed.trace, format!("{:0>32}", &TRACE[17..]));
    passed.assert_headers(&[
        ("uber-trace-id", "{trace}:{span}:0:1"),
        ("uberctx-color", "dark%20red"),
    ]);
}

#[tokio::test]
#[test_fork::fork]
async fn none() {
    let incoming = [("b3", "0"), ("baggage", "a=1")];
    pass_in("none", &incoming).await.assert_headers(&[]);
}

#[tokio::test]
#[test_fork::fork]
async fn the_last_listed_format_wins() {
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    let b3 = format!("{OTHER}-{SPAN}-1");
    let incoming = [("traceparent", &*traceparent), ("b3", &*b3)];
    let passed = pass_in("tracecontext,b3", &incoming).await;
    assert_eq!(passed.trace, OTHER);
    passed.assert_headers(&[
        ("b3", "{trace}-{span}-1"),
        ("traceparent", "00-{trace}-{span}-01"),
    ]);
}

#[tokio::test]
#[test_fork::fork]
async fn the_order_decides_not_the_format() {
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    let b3 = format!("{OTHER}-{SPAN}-1");
    let incoming = [("traceparent", &*traceparent), ("b3", &*b3)];
    let passed = pass_in("b3,tracecontext", &incoming).await;
    assert_eq!(passed.trace, TRACE);
}

#[tokio::test]
#[test_fork::fork]
async fn malformed_headers_begin_a_new_trace() {
    let incoming = [
        ("traceparent", "00-nonsense-01"),
        ("tracestate", "=,="),
        ("baggage", "=,;;,a b=1"),
        ("b3", "nonsense-1"),
        ("x-b3-traceid", TRACE),
        ("uber-trace-id", "1:2:3"),
        ("uberctx-", "%"),
    ];
    let passed = pass_in("tracecontext,baggage,b3,b3multi,jaeger", &incoming).await;
    assert!(passed.sampled);
    passed.assert_headers(&[
        ("b3", "{trace}-{span}-1"),
        ("traceparent", "00-{trace}-{span}-01"),
        ("uber-trace-id", "{trace}:{span}:0:1"),
        ("x-b3-sampled", "1"),
        ("x-b3-spanid", "{span}"),
        ("x-b3-traceid", "{trace}"),
    ]);
    assert_ne!(passed.trace, TRACE);
}

/// Only lists may be repeated.
#[tokio::test]
#[test_fork::fork]
async fn a_repeated_header_begins_a_new_trace() {
    let b3 = format!("{TRACE}-{SPAN}-1");
    let uber = format!("{TRACE}:{SPAN}:0:1");
    let incoming = [
        ("b3", &*b3),
        ("b3", &*b3),
        ("x-b3-traceid", TRACE),
        ("x-b3-spanid", SPAN),
        ("x-b3-sampled", "1"),
        ("x-b3-sampled", "0"),
        ("uber-trace-id", &*uber),
        ("uber-trace-id", &*uber),
    ];
    let passed = pass_in("b3,b3multi,jaeger", &incoming).await;
    assert_ne!(passed.trace, TRACE);
}

#[tokio::test]
#[test_fork::fork]
async fn a_repeated_decision_of_b3_is_none() {
    let variables = [
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
    ];
    let incoming = [
        ("b3", "1"),
        ("b3", "1"),
        ("x-b3-sampled", "1"),
        ("x-b3-sampled", "1"),
    ];
    let passed = pass(&variables, &incoming).await;
    assert!(!passed.sampled);
}

/// A span that is not recorded has no flags of its own, but the trace id is as random as before.
#[tokio::test]
#[test_fork::fork]
async fn unsampled_spans_forward_the_random_id_flag() {
    let variables = [("OTEL_TRACES_SAMPLER", "always_off")];
    let traceparent = format!("00-{TRACE}-{SPAN}-03");
    let incoming = [
        ("traceparent", &*traceparent),
        ("tracestate", "t@abcdefghijklmn=1"),
    ];
    let passed = pass(&variables, &incoming).await;
    passed.assert_headers(&[
        ("traceparent", "00-{trace}-{span}-02"),
        ("tracestate", "t@abcdefghijklmn=1"),
    ]);
}

/// Headers that carry no context leave the context empty, whatever the current span is.
#[test_fork::test]
fn extract_does_not_use_the_current_span() {
    use opentelemetry::trace::TraceContextExt;

    let telemetry = with_variables(&[]).init().expect("telemetry starts");
    let _entered = tracing::info_span!("current").entered();
    let context = propagation::extract_headers(&HeaderMap::new());
    assert!(!context.span().span_context().is_valid());
    let _ = telemetry.shutdown();
}
