//! Every outcome is seen exactly once: {sync, async} × {ok, Err, panic, dropped, dropped before the first poll} ×
//! {function, HTTP handler, streaming body, event handler}.
#![cfg(all(feature = "axum", feature = "testing"))]

mod events;
mod functions;
mod http;
mod streams;
mod table;

use rustok_telemetry::testing::{self, Capture};
use table::{Case, SpanEnd, Traces, WATCHED};

#[tokio::test]
async fn each_case_is_recorded_exactly_once() {
    for case in Case::all() {
        let telemetry = testing::capture();
        case.run().await;
        assert_eq!(seen(&telemetry), case.expected(), "{}", case.name());
        telemetry.assert_nowhere("hunter2");
    }
}

#[tokio::test]
async fn concurrent_cases_are_recorded_as_their_sum() {
    let telemetry = testing::capture();
    let mut expected = Traces::default();
    for case in Case::all() {
        expected.merge(case.expected());
    }
    futures::future::join_all(Case::all().iter().map(Case::run)).await;
    assert_eq!(seen(&telemetry), expected);
}

fn seen(telemetry: &Capture) -> Traces {
    let mut traces = Traces::default();
    for metric in WATCHED {
        for series in telemetry.metric(metric).series() {
            let value = match series.count {
                0 => series.value,
                count => count as f64,
            };
            traces.series.insert((metric, series.labels), value);
        }
    }
    for span in telemetry.spans() {
        let text = |key| span.attribute(key).map(ToString::to_string);
        let outcome = text("rustok.outcome");
        let end = match (text("error.type"), outcome.as_deref()) {
            (Some(error_type), None) => {
                span.assert_error(&error_type);
                SpanEnd::Error(error_type)
            }
            (None, Some("cancelled")) => {
                span.assert_cancelled();
                SpanEnd::Cancelled
            }
            _ => {
                span.assert_ok();
                SpanEnd::Ok
            }
        };
        traces.spans.push((span.name().to_owned(), end));
    }
    traces.spans.sort();
    traces
}
