//! `traceparent` and `tracestate`.

use opentelemetry::{Context, trace::TraceContextExt};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{cases, extract, fill, inject, support::text_only};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

#[test_fork::test]
fn every_case_of_the_specification_passes() {
    let telemetry = text_only().init().expect("telemetry starts");
    let fill = |text: &str| fill(&text.replace("{T}", TRACE).replace("{S}", SPAN));
    let cases = cases(include_str!("trace_context.txt"), fill);
    assert!(cases.len() > 100, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let expected = (case.expected[0] != "new trace").then(|| case.expected[0].clone());
        for (carrier, context) in extract(&case.headers) {
            let read = passed_on(context);
            if read != expected {
                let (rule, headers) = (&case.rule, &case.headers);
                wrong.push(format!(
                    "{rule}\n  {headers:?}\n  of {carrier}: {read:?} instead of {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn headers_are_parsed_by_the_grammar() {
    let telemetry = text_only().init().expect("telemetry starts");
    let mut runner = TestRunner::new(Config::with_cases(3_000));
    let headers = (
        proptest::collection::vec(traceparent(), 0..=2),
        proptest::collection::vec(tracestate(), 0..=3),
    );
    let result = runner.run(&headers, |(parents, states)| {
        let named = |name: &'static str, values: &[String]| {
            let header = move |value: &String| (name.to_owned(), value.clone());
            values.iter().map(header).collect::<Vec<_>>()
        };
        let mut headers = named("traceparent", &parents);
        headers.extend(named("tracestate", &states));
        let expected = grammar::parent(&parents).map(|parent| {
            let state = grammar::state(&states).unwrap_or_default();
            [parent, state].join(" ").trim_end().to_owned()
        });
        for (carrier, context) in extract(&headers) {
            prop_assert_eq!(
                passed_on(context),
                expected.clone(),
                "{} {:?}",
                carrier,
                headers
            );
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let _ = telemetry.shutdown();
}

/// A stale state of another trace must not go along with the new one.
#[test_fork::test]
fn headers_of_another_trace_are_replaced() {
    let telemetry = text_only().init().expect("telemetry starts");
    let mut headers = http::HeaderMap::new();
    for (name, value) in [
        ("traceparent", &*format!("00-{TRACE}-{SPAN}-01")),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
        ("baggage", "tenant_id=acme"),
        ("accept", "*/*"),
    ] {
        headers.append(name, value.parse().expect("a value"));
    }
    let span = tracing::info_span!("request");
    span.in_scope(|| rustok_telemetry::propagation::inject_headers(&mut headers));
    assert!(
        !headers["traceparent"]
            .to_str()
            .expect("text")
            .contains(TRACE)
    );
    let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "traceparent"]);
    let _ = telemetry.shutdown();
}

/// Ids, flags and state as a request within the context carries them.
fn passed_on(context: Context) -> Option<String> {
    let valid = context.span().span_context().is_valid();
    let sent = inject(context);
    let text = |name: &str| {
        let mut values = sent.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().expect("text"));
        assert!(values.next().is_none(), "{name} is sent twice");
        value
    };
    let Some(parent) = text("traceparent") else {
        assert!(!valid);
        assert_eq!(text("tracestate"), None, "a state without a trace");
        return None;
    };
    let fields = parent.strip_prefix("00-").expect("version 00");
    let fields = fields.replace('-', " ");
    match text("tracestate") {
        Some("") => panic!("an empty state is sent"),
        Some(state) => Some(format!("{fields} {state}")),
        None => Some(fields),
    }
}

/// Headers that are right or nearly so.
fn traceparent() -> impl Strategy<Value = String> {
    let id = |digits: usize| {
        prop_oneof![
            8 => proptest::string::string_regex(&format!("[0-9a-f]{{{digits}}}")).expect("a regex"),
            1 => Just("0".repeat(digits)),
            1 => proptest::string::string_regex(&format!("[0-9a-fA-F]{{{},{}}}", digits - 1, digits + 1)).expect("a regex"),
        ]
    };
    let version =
        prop_oneof![4 => Just("00".to_owned()), 1 => "[0-9a-f]{2}", 1 => Just("ff".to_owned())];
    let rest = prop_oneof![6 => Just(String::new()), 1 => "[-. 0-9a-z]{1,4}"];
    let header = (version, id(32), id(16), "[0-9a-f]{2}", rest).prop_map(
        |(version, trace, span, flags, rest)| format!("{version}-{trace}-{span}-{flags}{rest}"),
    );
    edited(header.boxed(), "[-0-9a-gA-F +\t]?")
}

fn tracestate() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        8 => "[a-z0-9][a-z0-9_@*/-]{0,5}=[ -+.-<>-~]{0,5}[!-+.-<>-~]",
        1 => "[ \t]{0,2}",
        1 => "[a-c]=1",
        1 => "[a-z]@[a-z]{12,16}=1",
    ];
    let list = prop_oneof![
        6 => proptest::collection::vec(member.clone(), 0..4),
        1 => proptest::collection::vec(member, 28..36),
    ];
    let list = list.prop_map(|members| members.join(","));
    prop_oneof![4 => list.clone().boxed(), 1 => edited(list.boxed(), "[A-Z=,; \t@]?").boxed()]
}

/// One letter is replaced, or not.
fn edited(text: BoxedStrategy<String>, letter: &'static str) -> impl Strategy<Value = String> {
    (text, any::<prop::sample::Index>(), prop::option::of(letter)).prop_map(
        |(text, place, letter)| match letter {
            Some(letter) if !text.is_empty() => {
                let place = place.index(text.len());
                format!("{}{letter}{}", &text[..place], &text[place + 1..])
            }
            _ => text,
        },
    )
}

/// The grammar of the specification, letter by letter. Nothing here is taken from the library.
mod grammar {
    /// What comes out as `{trace id} {span id} {flags}`, if there is one header and it is well-formed.
    pub(super) fn parent(headers: &[String]) -> Option<String> {
        let [header] = headers else { return None };
        let text = ows(header).as_bytes();
        let hexdiglc = |byte: &u8| b"0123456789abcdef".contains(byte);
        if text.len() < 55 {
            return None;
        }
        for (at, byte) in text[..55].iter().enumerate() {
            let fits = match at {
                2 | 35 | 52 => *byte == b'-',
                _ => hexdiglc(byte),
            };
            if !fits {
                return None;
            }
        }
        let version = &text[..2];
        let fits = match text.get(55) {
            None => version != b"ff",
            Some(b'-') => version != b"ff" && version != b"00",
            Some(_) => false,
        };
        let (trace, span) = (&header_part(text, 3, 35), &header_part(text, 36, 52));
        let zeros = |id: &str| id.bytes().all(|digit| digit == b'0');
        if !fits || zeros(trace) || zeros(span) {
            return None;
        }
        let flags = u8::from_str_radix(&header_part(text, 53, 55), 16).expect("digits");
        let (sampled, random) = (flags % 2, flags / 2 % 2);
        Some(format!("{trace} {span} 0{}", sampled + 2 * random))
    }

    fn header_part(text: &[u8], from: usize, to: usize) -> String {
        String::from_utf8(text[from..to].to_vec()).expect("digits")
    }

    /// The list as it is passed on, if it is well-formed.
    pub(super) fn state(headers: &[String]) -> Option<String> {
        let all = headers.join(",");
        let members: Vec<_> = all
            .split(',')
            .map(ows)
            .filter(|text| !text.is_empty())
            .collect();
        if members.len() > 32 {
            return None;
        }
        let mut kept: Vec<(String, &str)> = Vec::new();
        for member in members {
            let equals = member.find('=')?;
            let (key, value) = (&member[..equals], &member[equals + 1..]);
            let mut letters = key.chars();
            let first = letters.next()?;
            let simple = |letter: char| matches!(letter, 'a'..='z' | '0'..='9');
            let further =
                |letter: char| simple(letter) || matches!(letter, '_' | '-' | '*' | '/' | '@');
            if !simple(first) || !letters.all(further) || key.len() > 256 {
                return None;
            }
            let chr = |letter: char| matches!(letter, '\x20'..='\x2b' | '\x2d'..='\x3c' | '\x3e'..='\x7e');
            let last = value.chars().last()?;
            if !value.chars().all(chr) || last == ' ' || value.len() > 256 {
                return None;
            }
            if !kept.iter().any(|(known, _)| known == key) {
                kept.push((key.to_owned(), member));
            }
        }
        let members: Vec<_> = kept.into_iter().map(|(_, member)| member).collect();
        Some(members.join(","))
    }

    fn ows(text: &str) -> &str {
        text.trim_matches(|letter| letter == ' ' || letter == '\t')
    }
}
