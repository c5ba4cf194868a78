//! The trace and whether it is recorded.

use http::{HeaderMap, HeaderName};
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::trace::v1::Span;
use rustok_telemetry::{
    http::TelemetryLayer,
    propagation::{EventContext, TRACE_RESPONSE, inject_headers},
};

use crate::{receiver::Receiver, request, support::with_variables};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    /// Whether it belongs to the caller's trace.
    is_callers: bool,
    is_recorded: bool,
    /// The ids of its links, and their trace states.
    links: Vec<(String, String, String)>,
}

/// Sends requests with these headers, one after the other, and gives what became of them. Asserts on the way that the
/// response tells the trace that goes on, and that nothing of a stranger's goes on from a public edge.
async fn outcomes(
    layer: TelemetryLayer,
    is_edge: bool,
    variables: &[(&str, &str)],
    requests: &[Vec<(&str, String)>],
) -> Vec<Outcome> {
    async fn next_request(_: HeaderMap) -> String {
        let mut headers = HeaderMap::new();
        inject_headers(&mut headers);
        let event = EventContext::current();
        let names = headers.keys().map(HeaderName::as_str);
        let names: Vec<_> = names.chain(event.entries().map(|(name, _)| name)).collect();
        let parent = headers["traceparent"].to_str().expect("text");
        format!("{parent} {}", names.join(" "))
    }

    let receiver = Receiver::start();
    let endpoint = receiver.plain();
    let mut all = vec![
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
    ];
    all.extend_from_slice(variables);
    let telemetry = with_variables(&all).init().expect("telemetry starts");
    let mut told = Vec::new();
    for headers in requests {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let response = request(layer.clone(), "/case", &headers, next_request).await;
        let trace = response.headers()[TRACE_RESPONSE]
            .to_str()
            .expect("text")
            .to_owned();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("text");
        let (sent, names) = body.split_once(' ').expect("names");
        assert_eq!(sent, trace);
        if is_edge {
            let names: Vec<_> = names.split(' ').collect();
            assert!(
                !names.contains(&"tracestate") && !names.contains(&"baggage"),
                "{names:?}"
            );
        }
        told.push(trace);
    }
    let report = tokio::task::spawn_blocking(move || telemetry.shutdown()).await;
    assert!(report.expect("no panic").is_complete());
    let spans = receiver.spans();
    told.iter().map(|trace| outcome(trace, &spans)).collect()
}

fn outcome(trace: &str, spans: &[Span]) -> Outcome {
    let fields: Vec<_> = trace.split('-').collect();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let span = spans.iter().find(|span| hex(&span.span_id) == fields[2]);
    let is_callers = fields[1] == TRACE;
    if let Some(span) = span {
        assert_eq!(hex(&span.trace_id), fields[1]);
        let parent = hex(&span.parent_span_id);
        assert_eq!(parent, if is_callers { SPAN } else { "" });
        assert!(is_callers || span.trace_state.is_empty(), "{span:?}");
    }
    let links = span.iter().flat_map(|span| &span.links);
    Outcome {
        is_callers,
        is_recorded: span.is_some(),
        links: links
            .map(|link| {
                (
                    hex(&link.trace_id),
                    hex(&link.span_id),
                    link.trace_state.clone(),
                )
            })
            .collect(),
    }
}

/// A stranger's requests: sampled, not sampled, without a trace, malformed.
fn strangers() -> Vec<Vec<(&'static str, String)>> {
    let parent = |flags: &str| ("traceparent", format!("00-{TRACE}-{SPAN}-{flags}"));
    let others = || {
        [
            ("tracestate", "a=1".to_owned()),
            ("baggage", "b=2,tenant_id=acme".to_owned()),
        ]
    };
    let with = |parent| [vec![parent], others().to_vec()].concat();
    vec![
        with(parent("01")),
        with(parent("00")),
        others().to_vec(),
        with(parent("1")),
        with((
            "traceparent",
            format!("00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01"),
        )),
    ]
}

fn callers(is_recorded: bool) -> Outcome {
    Outcome {
        is_callers: true,
        is_recorded,
        links: Vec::new(),
    }
}

fn own(is_recorded: bool) -> Outcome {
    Outcome {
        is_callers: false,
        is_recorded,
        links: Vec::new(),
    }
}

fn linked() -> Outcome {
    let link = (TRACE.to_owned(), SPAN.to_owned(), String::new());
    Outcome {
        links: vec![link],
        ..own(true)
    }
}

const NEVER: [(&str, &str); 2] = [
    ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
    ("OTEL_TRACES_SAMPLER_ARG", "0"),
];

#[tokio::test]
#[test_fork::fork]
async fn by_default_the_caller_decides() {
    let outcomes = outcomes(TelemetryLayer::new(), false, &[], &strangers()).await;
    assert_eq!(
        outcomes,
        [
            callers(true),
            callers(false),
            own(true),
            own(true),
            own(true)
        ]
    );
}

#[tokio::test]
#[test_fork::fork]
async fn by_default_the_caller_decides_at_ratio_0() {
    let outcomes = outcomes(TelemetryLayer::new(), false, &NEVER, &strangers()).await;
    assert_eq!(
        outcomes,
        [
            callers(true),
            callers(false),
            own(false),
            own(false),
            own(false)
        ]
    );
}

#[tokio::test]
#[test_fork::fork]
async fn on_a_public_edge_the_sampler_decides() {
    let edge = TelemetryLayer::new().public_edge();
    let outcomes = outcomes(edge, true, &[], &strangers()).await;
    assert_eq!(
        outcomes,
        [linked(), linked(), own(true), own(true), own(true)]
    );
}

#[tokio::test]
#[test_fork::fork]
async fn on_a_public_edge_the_sampler_decides_at_ratio_0() {
    let edge = TelemetryLayer::new().public_edge();
    let outcomes = outcomes(edge, true, &NEVER, &strangers()).await;
    assert_eq!(outcomes, vec![own(false); 5]);
}

/// B3 and Jaeger have more to say than two flags: debug, and a decision without ids.
#[tokio::test]
#[test_fork::fork]
async fn a_public_edge_ignores_every_format() {
    let variables = [
        NEVER[0],
        NEVER[1],
        ("OTEL_PROPAGATORS", "tracecontext,b3,jaeger"),
    ];
    let headers = |name, value: &str| vec![(name, value.to_owned())];
    let requests = [
        headers("b3", "d"),
        headers("b3", "1"),
        headers("b3", &format!("{TRACE}-{SPAN}-d")),
        headers("x-b3-flags", "1"),
        headers("uber-trace-id", &format!("{TRACE}:{SPAN}:0:3")),
    ];
    let edge = TelemetryLayer::new().public_edge();
    let outcomes = outcomes(edge, true, &variables, &requests).await;
    assert_eq!(outcomes, vec![own(false); 5]);
}

/// A span around the request, as a server may have one for all connections, is not its parent.
#[tokio::test]
#[test_fork::fork]
async fn a_public_edge_ignores_the_current_span() {
    let telemetry = with_variables(&[]).init().expect("telemetry starts");
    let outer = tracing::info_span!("outer");
    let mut headers = HeaderMap::new();
    outer.in_scope(|| inject_headers(&mut headers));
    let edge = TelemetryLayer::new().public_edge();
    let response = request(edge, "/case", &[], async |_| String::new());
    let response = tracing::Instrument::instrument(response, outer).await;
    let ids = |headers: &HeaderMap, name: &str| {
        let value = headers[name].to_str().expect("text");
        value.split('-').nth(1).expect("a trace").to_owned()
    };
    assert_ne!(
        ids(response.headers(), TRACE_RESPONSE),
        ids(&headers, "traceparent")
    );
    let _ = telemetry.shutdown();
}
