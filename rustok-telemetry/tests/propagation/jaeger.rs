//! Jaeger's own format.

use std::collections::HashMap;

use axum::http::HeaderMap;
use opentelemetry::{KeyValue, baggage::BaggageExt};
use proptest::{collection::hash_map, prelude::*, sample::select};
use rustok_telemetry::propagation::{self, EventContext};

use super::{
    Case, SPAN, TRACE, check, check_cases, extract, forwarded, support::with_variables, value,
};

#[test_fork::test]
fn headers_with_a_sampler_that_denies() {
    check_headers(0);
}

#[test_fork::test]
fn headers_with_a_sampler_that_accepts() {
    check_headers(1);
}

fn check_headers(sampler: usize) {
    let full = format!("{TRACE}:{SPAN}:0:1");
    let sampled = format!("{TRACE} {SPAN} 1");
    let ids = |trace: &str, span: &str, flags| format!("{trace:0>32} {span:0>16} {flags}");
    let unsampled = ids("4d0000000000000016", "17c29", 0);
    let debug = ids("4d", "17c29", 3);
    let [small_debug, small_unsampled] = [3, 0].map(|flags| ids("1", "2", flags));
    let headers = [
        (&*full, &*sampled, ["1", "1"]),
        ("4d0000000000000016:17C29:17c28:0", &unsampled, ["0", "0"]),
        ("4d%3A17c29%3a0%3A03", &debug, ["3", "3"]),
        // The flags are hexadecimal, and other bits are ignored. Debug does not imply sampled.
        ("1:2::f", &small_debug, ["3", "3"]),
        ("1:2:0:2", &small_unsampled, ["0", "0"]),
    ];
    let malformed = [
        "",
        ":::",
        "%",
        "1:2:0",
        "1:2:0:1:0",
        "1:2:0:",
        "1:2:0:100",
        "1:2:0:g",
        "0:2:0:1",
        "1:0:0:1",
        "+1:2:0:1",
        "1:+2:0:1",
        "1:12345678901234567:0:1",
        "123456789012345678901234567890123:2:0:1",
        "%ff%3A2%3A0%3A1",
    ];
    let malformed = malformed.map(|header| (header, "", ["0", "1"]));
    let cases: Vec<_> = headers
        .into_iter()
        .chain(malformed)
        .map(|(header, forwarded, states)| {
            Case::new(&[("uber-trace-id", header)], forwarded, states)
        })
        .collect();
    check_cases("jaeger", sampler, &cases, sent);
}

/// Trace id, span id and flags of the injected header.
fn sent(headers: &HeaderMap) -> Option<[String; 3]> {
    let parts: Vec<_> = value(headers, "uber-trace-id")?.split(':').collect();
    let [trace, span, "0", flags] = parts[..] else {
        panic!("{headers:?}");
    };
    Some([trace, span, flags].map(str::to_owned))
}

fn texts(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let mut texts: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII")))
        .collect();
    texts.sort_unstable();
    texts
}

#[test_fork::test]
fn baggage_is_added_to_that_of_other_formats() {
    let variables = [("OTEL_PROPAGATORS", "baggage,jaeger")];
    let telemetry = with_variables(&variables).init().expect("telemetry starts");
    let headers = [
        ("uberctx-color", "dark%20red"),
        ("uberctx-size", "1=2,3"),
        ("uberctx-", "no name"),
        ("uberctx-bad", "%ff"),
        ("other", "1"),
        ("baggage", "known=1"),
    ];
    for context in extract(&headers) {
        let mut entries: Vec<_> = context
            .baggage()
            .iter()
            .map(|(key, (value, _))| (key.as_str(), value.as_str()))
            .collect();
        entries.sort_unstable();
        assert_eq!(
            entries,
            [("color", "dark red"), ("known", "1"), ("size", "1=2,3")]
        );
        let mut sent = forwarded(&context);
        assert!(sent.remove("baggage").is_some());
        assert_eq!(
            texts(&sent),
            [
                ("uberctx-color", "dark%20red"),
                ("uberctx-known", "1"),
                ("uberctx-size", "1%3D2%2C3"),
            ]
        );
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn any_trace_and_baggage_are_forwarded_unchanged() {
    let entries = hash_map("[a-z][a-z0-9-]{0,9}", "\\PC{0,20}", 0..5);
    let inputs = (1_u128.., 1_u64.., select(vec![0, 1, 3]), entries);
    check("jaeger", inputs, |(trace, span, flags, entries)| {
        let header = format!("{trace:032x}:{span:016x}:0:{flags}");
        for context in extract(&[("uber-trace-id", &header)]) {
            let pairs = entries
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
            let context = context.with_baggage(pairs.collect::<Vec<_>>());
            let once = forwarded(&context);
            prop_assert_eq!(value(&once, "uber-trace-id"), Some(&*header));
            prop_assert_eq!(once.len(), 1 + entries.len());
            for context in extract(&texts(&once)) {
                let received: HashMap<_, _> = context
                    .baggage()
                    .iter()
                    .map(|(key, (value, _))| (key.to_string(), value.to_string()))
                    .collect();
                prop_assert_eq!(&received, &entries);
                prop_assert_eq!(&forwarded(&context), &once);
            }
        }
        Ok(())
    });
}

#[test_fork::test]
fn any_text_is_read_without_panic() {
    check("jaeger", any::<[String; 3]>(), |[header, key, value]| {
        let entries = [
            ("uber-trace-id".to_owned(), header),
            (format!("uberctx-{key}"), value.clone()),
            (key, value),
        ];
        propagation::extract(&EventContext::from_entries(entries));
        Ok(())
    });
}

#[test_fork::test]
fn nearly_valid_ids_are_read_completely_or_not_at_all() {
    let headers = "[0-9a-f+]{0,34}:[0-9a-f]{0,18}:[0-9]?:[0-9a-g]{0,3}";
    check("jaeger", headers, |header| {
        for context in extract(&[("uber-trace-id", &header)]) {
            let Some([trace, span, _]) = sent(&forwarded(&context)) else {
                continue;
            };
            let ids: Vec<_> = header.split(':').collect();
            prop_assert_eq!(trace, format!("{:0>32}", ids[0]));
            prop_assert_eq!(span, format!("{:0>16}", ids[1]));
        }
        Ok(())
    });
}
