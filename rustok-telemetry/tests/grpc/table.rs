//! Every kind of call with every end is counted once, on both sides.

use std::collections::BTreeMap;

use rustok_telemetry::testing::{self, Capture};

use super::service::{End, Kind, SECRET, SERVICE, call, connect, eventually, serve, server_layer};

#[tokio::test]
async fn each_call_is_recorded_once_on_both_sides() {
    for kind in Kind::ALL {
        for end in End::ALL {
            let telemetry = testing::capture();
            let client = connect(serve(server_layer()).await).await;
            let result = call(client, kind, end).await;
            let case = format!("{kind:?} {end:?}: {result:?}");
            for side in ["server", "client"] {
                let handled = format!("rustok_grpc_{side}_handled_total");
                eventually(&case, || telemetry.metric(&handled).value() > 0.0).await;
                assert_eq!(seen(&telemetry, side), expected(kind, end, side), "{case}");
            }
            assert_spans(&telemetry, kind, end, &case);
            telemetry.assert_nowhere(SECRET);
        }
    }
}

type Series = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Every series of one side: the metric without its prefix, the labels, and the value or the count.
fn seen(telemetry: &Capture, side: &str) -> Series {
    let mut seen = Series::new();
    for name in [
        "started_total",
        "handled_total",
        "duration_seconds",
        "messages_received_total",
        "messages_sent_total",
        "active_calls",
    ] {
        for series in telemetry
            .metric(&format!("rustok_grpc_{side}_{name}"))
            .series()
        {
            let value = match series.count {
                0 => series.value,
                count => count as f64,
            };
            seen.insert((name.to_owned(), series.labels), value);
        }
    }
    seen
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn expected(kind: Kind, end: End, side: &str) -> Series {
    let code = code(end, side);
    let [requests, responses] = messages(kind, end);
    let (received, sent) = match side {
        "server" => (requests, responses),
        _ => (responses, requests),
    };
    let method = kind.method();
    let of = [("service", SERVICE), ("method", &*method)];
    let with_code = [of[0], of[1], ("code", code)];
    let all: [(&str, Pairs<'_>, f64); 6] = [
        ("started_total", &of, 1.0),
        ("handled_total", &with_code, 1.0),
        ("duration_seconds", &of, 1.0),
        ("messages_received_total", &of, received),
        ("messages_sent_total", &of, sent),
        ("active_calls", &[], 0.0),
    ];
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    all.into_iter()
        .filter(|(name, _, value)| *value > 0.0 || *name == "active_calls")
        .map(|(name, labels, value)| {
            let labels = labels.iter().map(owned).collect();
            ((name.to_owned(), labels), value)
        })
        .collect()
}

fn code(end: End, side: &str) -> &'static str {
    match (end, side) {
        (End::Ok, _) => "OK",
        (End::Internal, _) => "INTERNAL",
        (End::NotFound, _) => "NOT_FOUND",
        (End::Panic, "server") => "panic",
        // The stream is reset.
        (End::Panic, _) => "CANCELLED",
        (End::Cancelled, _) => "CANCELLED",
        (End::Deadline, _) => "DEADLINE_EXCEEDED",
    }
}

/// The messages of the requests and of the responses.
fn messages(kind: Kind, end: End) -> [f64; 2] {
    let requests = match kind.streams_requests() && !end.waits() {
        true => 3.0,
        false => 1.0,
    };
    let responses = match (kind.streams_responses(), end) {
        (true, End::Ok) => 3.0,
        (true, _) => 1.0,
        (false, End::Ok) => 1.0,
        (false, _) => 0.0,
    };
    [requests, responses]
}

fn assert_spans(telemetry: &Capture, kind: Kind, end: End, case: &str) {
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 2, "{case}: {spans:?}");
    for (side, operation) in [("server", "server"), ("client", "client")] {
        let of_side = |span: &&testing::CapturedSpan| {
            format!("{:?}", span.kind()).to_lowercase() == operation
        };
        let span = spans.iter().find(of_side).expect("a span of each side");
        assert_eq!(span.name(), kind.full_name(), "{case}");
        span.assert_attribute("rpc.system.name", "grpc");
        span.assert_attribute("rpc.method", kind.full_name());
        span.assert_no_attribute("rpc.method_original");
        let code = code(end, side);
        match code {
            "panic" => span.assert_no_attribute("rpc.response.status_code"),
            code => span.assert_attribute("rpc.response.status_code", code),
        };
        match (end, side) {
            (End::Ok, _) | (End::NotFound, "server") => span.assert_ok(),
            (End::Cancelled, _) => span.assert_cancelled(),
            _ => span.assert_error(code),
        };
    }
}
