//! The headers of W3C are read and written as the specifications have it: case by case, and against a parser of their
//! grammars that is written here.

mod baggage;
#[path = "../support/mod.rs"]
mod support;
mod trace_context;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{Context, trace::TraceContextExt};
use opentelemetry_http::HeaderExtractor;
use proptest::{
    collection::vec,
    prelude::any,
    sample::select,
    test_runner::{Config, TestRunner},
};
use rustok_telemetry::propagation::{self, EventContext};

/// In a message's headers there may be any letters, and any number of them.
#[test_fork::test]
fn any_text_is_extracted_without_panic() {
    let telemetry = support::text_only().init().expect("telemetry starts");
    let names = ["traceparent", "tracestate", "baggage", "Baggage"];
    let mut runner = TestRunner::new(Config::with_cases(2_000));
    let entries = vec((select(names.to_vec()), any::<String>()), 0..6);
    let result = runner.run(&entries, |entries| {
        let context = propagation::extract(&EventContext::from_entries(entries));
        inject(context);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let _ = telemetry.shutdown();
}

/// A value that is not UTF-8 makes the header a repeated one.
#[test_fork::test]
fn an_unreadable_value_is_not_skipped() {
    let telemetry = support::text_only().init().expect("telemetry starts");
    let parent: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (values, is_valid) in [
        (&[parent][..], true),
        (&[parent, b"\xff"], false),
        (&[b"\xff", parent], false),
        (&[b"\xff"], false),
    ] {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value).expect("a value");
            headers.append("traceparent", value);
        }
        let context = propagation::extract_headers(&headers);
        assert_eq!(context.span().span_context().is_valid(), is_valid);
    }
    let _ = telemetry.shutdown();
}

/// One case of a file: the lines of its headers, and what is behind the equals signs.
struct Case {
    rule: String,
    headers: Vec<(String, String)>,
    expected: Vec<String>,
}

/// Reads cases: paragraphs below headings of rules.
fn cases(text: &str, fill: impl Fn(&str) -> String) -> Vec<Case> {
    let mut rule = String::new();
    let mut cases = Vec::new();
    for paragraph in text.split("\n\n") {
        let (mut headers, mut expected) = (Vec::new(), Vec::new());
        for line in paragraph.lines() {
            if let Some(heading) = line.strip_prefix("##") {
                heading.trim().clone_into(&mut rule);
            } else if let Some(means) = line.strip_prefix("= ") {
                expected.push(fill(means));
            } else if !line.starts_with('#') {
                let (name, value) = line.split_once(':').expect("a header");
                headers.push((name.to_owned(), fill(value.trim_start_matches(' '))));
            }
        }
        if !headers.is_empty() {
            assert!(!expected.is_empty(), "{rule}: {headers:?} means nothing");
            let rule = rule.clone();
            cases.push(Case {
                rule,
                headers,
                expected,
            });
        }
    }
    cases
}

/// Puts in what a file abbreviates: `\t`, `\s`, `\u`, `{x*3}`, and `{x#3}` for the list `x0=0,x1=1,x2=2`.
fn fill(text: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let close = from
            .find('}')
            .map(|close| (&from[1..close], &from[close + 1..]));
        let expanded = close.and_then(|(inside, after)| {
            let letter = inside.chars().next()?;
            let (kind, count) = inside[letter.len_utf8()..].split_at_checked(1)?;
            let count: usize = count.parse().ok()?;
            match kind {
                "*" => Some((letter.to_string().repeat(count), after)),
                "#" => {
                    let member = |n| format!("{letter}{n}={n}");
                    Some(((0..count).map(member).collect::<Vec<_>>().join(","), after))
                }
                _ => None,
            }
        });
        match expanded {
            Some((text, after)) => {
                filled.push_str(&text);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
        .replace("\\t", "\t")
        .replace("\\s", " ")
        .replace("\\u", "\u{FFFD}")
}

fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        map.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    map
}

/// The context that the headers name, whichever way they come.
fn extract(headers: &[(String, String)]) -> [(&'static str, Context); 4] {
    let map = header_map(headers);
    let entries = headers.iter().map(|(name, value)| (name, value.as_str()));
    let bytes = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    [
        ("headers", propagation::extract_headers(&map)),
        (
            "another's headers",
            propagation::extract(&HeaderExtractor(&map)),
        ),
        (
            "entries",
            propagation::extract(&EventContext::from_entries(entries)),
        ),
        (
            "byte headers",
            propagation::extract(&EventContext::from_byte_headers(bytes)),
        ),
    ]
}

/// The headers of a request that is sent within the context.
fn inject(context: Context) -> HeaderMap {
    let _current = context.attach();
    let mut headers = HeaderMap::new();
    propagation::inject_headers(&mut headers);
    headers
}
