use std::collections::HashMap;

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceFlags},
};
use proptest::prelude::*;

use super::{Jaeger, Sampling, caller};

type Headers = HashMap<String, String>;

fn context(header: &str) -> Context {
    let headers = Headers::from([("uber-trace-id".to_owned(), header.to_owned())]);
    Jaeger.extract_with_context(&Context::new(), &headers)
}

fn read(header: &str) -> (SpanContext, Sampling) {
    let context = context(header);
    let span = context.span().span_context().clone();
    (span, Sampling::of(&context))
}

fn written(context: &Context) -> Headers {
    let mut written = Headers::new();
    Jaeger.inject_context(context, &mut written);
    written
}

#[test]
fn headers_are_read() {
    for (header, trace, span, sampled, sampling) in [
        (
            "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            true,
            Sampling::Decided,
        ),
        (
            "4d0000000000000016:17C29:17c28:0",
            "000000000000004d0000000000000016",
            "0000000000017c29",
            false,
            Sampling::Decided,
        ),
        (
            "4d%3A17c29%3a0%3A03",
            "0000000000000000000000000000004d",
            "0000000000017c29",
            true,
            Sampling::Debug,
        ),
        // The flags are hexadecimal; the last bit is another affair. Debug alone does not say "sampled".
        (
            "1:2::f",
            "00000000000000000000000000000001",
            "0000000000000002",
            true,
            Sampling::Debug,
        ),
        (
            "1:2:0:2",
            "00000000000000000000000000000001",
            "0000000000000002",
            false,
            Sampling::Decided,
        ),
    ] {
        let (caller, said) = read(header);
        assert_eq!(caller.trace_id().to_string(), trace, "{header}");
        assert_eq!(caller.span_id().to_string(), span, "{header}");
        let flags = TraceFlags::default().with_sampled(sampled);
        assert_eq!(caller.trace_flags(), flags, "{header}");
        assert_eq!(said, sampling, "{header}");
    }
}

#[test]
fn malformed_headers_count_as_absent() {
    for header in [
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
    ] {
        let (caller, said) = read(header);
        assert!(!caller.is_valid(), "{header}");
        assert_eq!(said, Sampling::Decided, "{header}");
    }
}

#[test]
fn the_baggage_is_read_and_written() {
    let headers = Headers::from([
        ("uberctx-color".to_owned(), "dark%20red".to_owned()),
        ("uberctx-size".to_owned(), "1=2,3".to_owned()),
        ("uberctx-".to_owned(), "no name".to_owned()),
        ("uberctx-bad".to_owned(), "%ff".to_owned()),
        ("other".to_owned(), "1".to_owned()),
    ]);
    let known = Context::new().with_baggage(Baggage::from_iter([opentelemetry::KeyValue::new(
        "known", "1",
    )]));
    let context = Jaeger.extract_with_context(&known, &headers);
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
    let expected = [
        ("uberctx-color", "dark%20red"),
        ("uberctx-known", "1"),
        ("uberctx-size", "1%3D2%2C3"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(written(&context), expected.into());
}

#[test]
fn without_a_span_nothing_is_written() {
    assert_eq!(written(&Context::new()), Headers::new());
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        trace in 1_u128..,
        span in 1_u64..,
        state in 0..3_usize,
        entries in proptest::collection::hash_map("[a-z][a-z0-9-]{0,9}", "\\PC{0,20}", 0..5),
    ) {
        let (sampled, sampling) = [
            (false, Sampling::Decided),
            (true, Sampling::Decided),
            (true, Sampling::Debug),
        ][state];
        let caller = caller(trace, span.into(), sampled).expect("valid ids");
        let pairs = entries.iter().map(|(key, value)| {
            opentelemetry::KeyValue::new(key.clone(), value.clone())
        });
        let sent = Context::new()
            .with_value(sampling)
            .with_baggage(pairs.collect::<Vec<_>>())
            .with_remote_span_context(caller.clone());
        let headers = written(&sent);
        for value in headers.values() {
            prop_assert!(value.is_ascii() && http::HeaderValue::try_from(value).is_ok());
        }
        let received = Jaeger.extract_with_context(&Context::new(), &headers);
        prop_assert_eq!(received.span().span_context().clone(), caller);
        prop_assert_eq!(Sampling::of(&received), sampling);
        let received: HashMap<_, _> = received
            .baggage()
            .iter()
            .map(|(key, (value, _))| (key.to_string(), value.to_string()))
            .collect();
        prop_assert_eq!(received, entries);
    }

    #[test]
    fn any_text_is_taken_without_panic(header in any::<String>(), key in any::<String>(), value in any::<String>()) {
        read(&header);
        let headers = Headers::from([(format!("uberctx-{key}"), value.clone()), (key, value)]);
        Jaeger.extract_with_context(&Context::new(), &headers);
    }

    #[test]
    fn nearly_right_headers_give_the_ids_or_nothing(header in "[0-9a-f+]{0,34}:[0-9a-f]{0,18}:[0-9]?:[0-9a-g]{0,3}") {
        let (caller, _) = read(&header);
        if caller.is_valid() {
            let mut parts = header.split(':');
            let trace = parts.next().expect("an id");
            let span = parts.next().expect("an id");
            prop_assert_eq!(caller.trace_id().to_string(), format!("{trace:0>32}"));
            prop_assert_eq!(caller.span_id().to_string(), format!("{span:0>16}"));
        }
    }
}
