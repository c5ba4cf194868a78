//! B3, in a single header and in several.

use axum::http::HeaderMap;
use proptest::prelude::*;

use rustok_telemetry::propagation::{self, EventContext};

use super::{Case, SPAN, TRACE, check, check_cases, extract, forwarded, value};

/// Each malformed header is ignored: nothing is forwarded, and the sampler decides.
const IGNORED: (&str, [&str; 2]) = ("", ["0", "1"]);

const NO_IDS: &str = "";

#[test_fork::test]
fn single_header_with_a_sampler_that_denies() {
    check_headers("b3", 0);
}

#[test_fork::test]
fn single_header_with_a_sampler_that_accepts() {
    check_headers("b3", 1);
}

#[test_fork::test]
fn several_headers_with_a_sampler_that_denies() {
    check_headers("b3multi", 0);
}

#[test_fork::test]
fn several_headers_with_a_sampler_that_accepts() {
    check_headers("b3multi", 1);
}

fn check_headers(propagators: &str, sampler: usize) {
    let ids = format!("{TRACE}-{SPAN}");
    let single = |rest: &str| format!("{ids}{rest}");
    let [deferred, denied, accepted, debug] =
        ["", " 0", " 1", " d"].map(|state| format!("{TRACE} {SPAN}{state}"));
    let other = "1".repeat(32);
    let short = "a3ce929d0e0e4736";
    let mut cases = Vec::new();
    let mut add = |headers: &[(&'static str, &str)], forwarded: &str, states| {
        cases.push(Case::new(headers, forwarded, states));
    };
    for (rest, forwarded, states) in [
        ("", &deferred, ["0", "1"]),
        ("-0", &denied, ["0", "0"]),
        ("-1", &accepted, ["1", "1"]),
        ("-d", &debug, ["d", "d"]),
        ("-1-05e3ac9a4f6e3b90", &accepted, ["1", "1"]),
    ] {
        add(&[("b3", &single(rest))], forwarded, states);
    }
    let trace = ("x-b3-traceid", TRACE);
    let span = ("x-b3-spanid", SPAN);
    add(&[trace, span], &deferred, ["0", "1"]);
    for (value, forwarded, states) in [
        ("0", &denied, ["0", "0"]),
        ("false", &denied, ["0", "0"]),
        ("1", &accepted, ["1", "1"]),
        ("True", &accepted, ["1", "1"]),
        ("maybe", &NO_IDS.to_owned(), IGNORED.1),
    ] {
        add(&[trace, span, ("x-b3-sampled", value)], forwarded, states);
    }
    let (flag, no_flag) = (("x-b3-flags", "1"), ("x-b3-flags", "0"));
    let (yes, no) = (("x-b3-sampled", "1"), ("x-b3-sampled", "0"));
    add(&[trace, span, flag], &debug, ["d", "d"]);
    add(&[trace, span, flag, no], &debug, ["d", "d"]);
    add(&[trace, span, no_flag, yes], &accepted, ["1", "1"]);
    // A well-formed single header wins.
    let single_other = format!("{other}-{SPAN}-0");
    let forwarded = format!("{other} {SPAN} 0");
    add(
        &[trace, span, yes, ("b3", &single_other)],
        &forwarded,
        ["0", "0"],
    );
    add(
        &[trace, span, yes, ("b3", "nonsense")],
        &accepted,
        ["1", "1"],
    );
    // A decision without ids.
    add(&[("b3", "0")], NO_IDS, ["0", "0"]);
    add(&[("b3", "1")], NO_IDS, ["1", "1"]);
    add(&[("b3", "d")], NO_IDS, ["d", "d"]);
    add(&[no], NO_IDS, ["0", "0"]);
    add(&[yes], NO_IDS, ["1", "1"]);
    add(&[flag], NO_IDS, ["d", "d"]);
    // A trace id of 64 bits.
    let forwarded = format!("{short:0>32} {SPAN} 1");
    add(
        &[("b3", &format!("{short}-{SPAN}-1"))],
        &forwarded,
        ["1", "1"],
    );
    for malformed in [
        "",
        "-",
        "2",
        "---",
        TRACE,
        &single("-"),
        &single("-2"),
        &single("-true"),
        &single("-1-zz"),
        &single("-1-05e3ac9a4f6e3b90-1"),
        &format!("{}-{SPAN}-1", "0".repeat(32)),
        &format!("{TRACE}-{}-1", "0".repeat(16)),
        &format!("{TRACE}0-{SPAN}-1"),
        &format!("{}-{SPAN}-1", &TRACE[1..]),
        &format!("{}-{SPAN}-1", &SPAN[1..]),
        &format!("{TRACE}-{}-1", &SPAN[1..]),
        &single("-1-5e3ac9a4f6e3b90"),
        &format!("{}-{SPAN}-1", TRACE.to_uppercase()),
        &format!("+{}-{SPAN}-1", &TRACE[1..]),
        &format!("{TRACE}-+{}-1", &SPAN[1..]),
        &format!("{TRACE}-ä{}-1", &SPAN[2..]),
    ] {
        add(&[("b3", malformed)], IGNORED.0, IGNORED.1);
    }
    add(&[trace], IGNORED.0, IGNORED.1);
    add(&[span, yes], IGNORED.0, IGNORED.1);
    add(&[], IGNORED.0, IGNORED.1);

    check_cases(propagators, sampler, &cases, |headers| {
        let parts = sent(propagators, headers)?;
        let mut parts = parts.split('-').map(str::to_owned);
        Some([
            parts.next()?,
            parts.next()?,
            parts.next().unwrap_or_default(),
        ])
    });
}

/// The injected headers in the notation of the single header. Fails if the other form is injected too.
fn sent(propagators: &str, headers: &HeaderMap) -> Option<String> {
    let header = |name| value(headers, name);
    let multi = ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"].map(header);
    if propagators == "b3" {
        assert_eq!(multi, [None; 4]);
        return header("b3").map(str::to_owned);
    }
    assert_eq!(header("b3"), None);
    let state = match multi {
        [None, None, None, None] => return None,
        [Some(_), Some(_), None, None] => "",
        [Some(_), Some(_), Some("0"), None] => "-0",
        [Some(_), Some(_), Some("1"), None] => "-1",
        [Some(_), Some(_), None, Some("1")] => "-d",
        _ => panic!("{headers:?}"),
    };
    Some(format!("{}-{}{state}", multi[0]?, multi[1]?))
}

fn check_forwarding(propagators: &str) {
    let headers = (
        1_u128..,
        1_u64..,
        prop::sample::select(vec!["", "-0", "-1", "-d"]),
    );
    check(propagators, headers, |(trace, span, state)| {
        let header = format!("{trace:032x}-{span:016x}{state}");
        for context in extract(&[("b3", &header)]) {
            let once = forwarded(&context);
            prop_assert_eq!(sent(propagators, &once), Some(header.clone()));
            let entries: Vec<_> = once
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII")))
                .collect();
            for context in extract(&entries) {
                prop_assert_eq!(&forwarded(&context), &once);
            }
        }
        Ok(())
    });
}

#[test_fork::test]
fn any_single_header_is_forwarded_unchanged() {
    check_forwarding("b3");
}

#[test_fork::test]
fn any_several_headers_are_forwarded_unchanged() {
    check_forwarding("b3multi");
}

#[test_fork::test]
fn any_text_is_read_without_panic() {
    let text = any::<[Option<String>; 5]>();
    check("b3", text, |values| {
        let names = [
            "b3",
            "x-b3-traceid",
            "x-b3-spanid",
            "x-b3-sampled",
            "x-b3-flags",
        ];
        let entries = names.into_iter().zip(values);
        let entries = entries.filter_map(|(name, value)| Some((name, value?)));
        let entries = EventContext::from_entries(entries);
        forwarded(&propagation::extract(&entries));
        Ok(())
    });
}

#[test_fork::test]
fn nearly_valid_ids_are_read_completely_or_not_at_all() {
    let headers = "[0-9a-fA-F+]{14,34}-[0-9a-f]{15,17}(-[01d2])?";
    check("b3", headers, |header| {
        for context in extract(&[("b3", &header)]) {
            let Some(sent) = sent("b3", &forwarded(&context)) else {
                continue;
            };
            let ids: Vec<_> = header.split('-').collect();
            let ids = format!("{:0>32}-{}", ids[0], ids[1]);
            prop_assert_eq!(sent.get(..49), Some(&*ids));
        }
        Ok(())
    });
}
