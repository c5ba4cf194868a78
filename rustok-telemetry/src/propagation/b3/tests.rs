use std::collections::HashMap;

use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceFlags},
};
use proptest::prelude::*;

use super::{B3, Sampling, caller};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

type Headers = HashMap<String, String>;

fn headers<const N: usize>(headers: [(&str, &str); N]) -> Headers {
    headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn single(value: &str) -> Headers {
    headers([("b3", value)])
}

fn read(headers: &Headers) -> (SpanContext, Sampling) {
    let context = B3::Single.extract_with_context(&Context::new(), headers);
    let same = B3::Multi.extract_with_context(&Context::new(), headers);
    let span = context.span().span_context().clone();
    assert_eq!(span, same.span().span_context().clone());
    (span, Sampling::of(&context))
}

#[track_caller]
fn assert_read(headers: &Headers, sampled: bool, sampling: Sampling) {
    let (span, said) = read(headers);
    assert_eq!(span.trace_id().to_string(), TRACE);
    assert_eq!(span.span_id().to_string(), SPAN);
    assert_eq!(
        span.trace_flags(),
        TraceFlags::default().with_sampled(sampled)
    );
    assert!(span.is_remote());
    assert_eq!(said, sampling);
}

#[track_caller]
fn assert_empty(headers: &Headers, sampling: Sampling) {
    let (span, said) = read(headers);
    assert!(!span.is_valid(), "{headers:?}: {span:?}");
    assert_eq!(said, sampling, "{headers:?}");
}

#[test]
fn one_header_is_read() {
    let with = |rest: &str| single(&format!("{TRACE}-{SPAN}{rest}"));
    assert_read(&with(""), false, Sampling::Deferred);
    assert_read(&with("-0"), false, Sampling::Decided);
    assert_read(&with("-1"), true, Sampling::Decided);
    assert_read(&with("-d"), true, Sampling::Debug);
    assert_read(&with("-1-05e3ac9a4f6e3b90"), true, Sampling::Decided);
}

#[test]
fn several_headers_are_read() {
    let ids = [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)];
    let with = |others: &[(&str, &str)]| {
        let mut all = headers(ids);
        let others = others.iter().map(|(name, value)| [*name, *value]);
        all.extend(others.map(|header| header.map(str::to_owned).into()));
        all
    };
    assert_read(&with(&[]), false, Sampling::Deferred);
    for (value, sampled) in [("0", false), ("false", false), ("1", true), ("True", true)] {
        assert_read(
            &with(&[("x-b3-sampled", value)]),
            sampled,
            Sampling::Decided,
        );
    }
    assert_read(&with(&[("x-b3-flags", "1")]), true, Sampling::Debug);
    let contradiction = [("x-b3-flags", "1"), ("x-b3-sampled", "0")];
    assert_read(&with(&contradiction), true, Sampling::Debug);
    let no_debug = [("x-b3-flags", "0"), ("x-b3-sampled", "1")];
    assert_read(&with(&no_debug), true, Sampling::Decided);
    assert_empty(&with(&[("x-b3-sampled", "maybe")]), Sampling::Decided);
    // One header wins over several, if it is in order.
    let other = format!("{}-{SPAN}-0", "1".repeat(32));
    let (span, _) = read(&with(&[("b3", &other), ("x-b3-sampled", "1")]));
    assert_eq!(span.trace_id().to_string(), "1".repeat(32));
    assert_read(
        &with(&[("b3", "nonsense"), ("x-b3-sampled", "1")]),
        true,
        Sampling::Decided,
    );
}

#[test]
fn a_decision_may_come_without_ids() {
    assert_empty(&single("0"), Sampling::Denied);
    assert_empty(&single("1"), Sampling::Accepted);
    assert_empty(&single("d"), Sampling::Debug);
    assert_empty(&headers([("x-b3-sampled", "0")]), Sampling::Denied);
    assert_empty(&headers([("x-b3-flags", "1")]), Sampling::Debug);
}

#[test]
fn short_trace_ids_are_filled_up() {
    let (span, _) = read(&single(&format!("a3ce929d0e0e4736-{SPAN}-1")));
    assert_eq!(
        span.trace_id().to_string(),
        format!("{:0>32}", "a3ce929d0e0e4736")
    );
    assert!(span.is_valid());
}

#[test]
fn malformed_headers_count_as_absent() {
    let zeros = "0".repeat(32);
    for header in [
        "",
        "-",
        "2",
        "---",
        TRACE,
        &format!("{TRACE}-{SPAN}-"),
        &format!("{TRACE}-{SPAN}-2"),
        &format!("{TRACE}-{SPAN}-true"),
        &format!("{TRACE}-{SPAN}-1-zz"),
        &format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90-1"),
        &format!("{zeros}-{SPAN}-1"),
        &format!("{TRACE}-{}-1", "0".repeat(16)),
        &format!("{TRACE}0-{SPAN}-1"),
        &format!("{}-{SPAN}-1", TRACE.to_uppercase()),
        &format!("+{}-{SPAN}-1", &TRACE[1..]),
        &format!("{TRACE}-+{}-1", &SPAN[1..]),
        &format!("{TRACE}-ä{}-1", &SPAN[2..]),
    ] {
        assert_empty(&single(header), Sampling::Decided);
    }
    assert_empty(&headers([("x-b3-traceid", TRACE)]), Sampling::Decided);
    assert_empty(
        &headers([("x-b3-spanid", SPAN), ("x-b3-sampled", "1")]),
        Sampling::Decided,
    );
}

#[test]
fn without_a_span_nothing_is_written() {
    for b3 in [B3::Single, B3::Multi] {
        let mut written = Headers::new();
        b3.inject_context(&Context::new(), &mut written);
        assert_eq!(written, Headers::new());
    }
}

#[test]
fn several_headers_are_written() {
    let written = |context: &Context| {
        let mut written = Headers::new();
        B3::Multi.inject_context(context, &mut written);
        written
    };
    let ids = [("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN)];
    let expected = |others: &[(&str, &str)]| -> Headers {
        let all = ids.iter().chain(others);
        all.map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()))
            .collect()
    };
    let context = |rest: &str| {
        let headers = single(&format!("{TRACE}-{SPAN}{rest}"));
        B3::Single.extract_with_context(&Context::new(), &headers)
    };
    assert_eq!(written(&context("-0")), expected(&[("X-B3-Sampled", "0")]));
    assert_eq!(written(&context("-1")), expected(&[("X-B3-Sampled", "1")]));
    assert_eq!(written(&context("-d")), expected(&[("X-B3-Flags", "1")]));
    assert_eq!(written(&context("")), expected(&[]));
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(trace in 1_u128.., span in 1_u64.., state in 0..4) {
        let sampled = state >= 2;
        let said = [Sampling::Deferred, Sampling::Decided, Sampling::Decided, Sampling::Debug];
        let sampling = said[state as usize];
        let caller = caller(trace, span.into(), sampled).expect("valid ids");
        let context = Context::new()
            .with_value(sampling)
            .with_remote_span_context(caller.clone());
        for b3 in [B3::Single, B3::Multi] {
            let mut written = Headers::new();
            b3.inject_context(&context, &mut written);
            prop_assert_eq!(read(&written), (caller.clone(), sampling));
        }
    }

    #[test]
    fn any_text_is_taken_without_panic(
        single in any::<Option<String>>(),
        trace in any::<Option<String>>(),
        span in any::<Option<String>>(),
        sampled in any::<Option<String>>(),
    ) {
        let names = ["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"];
        let values = names.into_iter().zip([single, trace, span, sampled]);
        let headers: Headers = values
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        read(&headers);
    }

    #[test]
    fn nearly_right_headers_give_the_ids_or_nothing(header in "[0-9a-fA-F+]{14,34}-[0-9a-f]{15,17}(-[01d2])?") {
        let (span, _) = read(&single(&header));
        if span.is_valid() {
            let mut parts = header.split('-');
            let trace = parts.next().expect("an id");
            prop_assert_eq!(span.trace_id().to_string(), format!("{trace:0>32}"));
            prop_assert_eq!(span.span_id().to_string(), parts.next().expect("an id"));
        }
    }
}
