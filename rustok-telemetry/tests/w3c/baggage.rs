//! `baggage`.

use std::collections::BTreeMap;

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{cases, extract, fill, inject, support::text_only};

/// Key → value and properties.
type Entries = BTreeMap<String, (String, String)>;

#[test_fork::test]
fn every_case_of_the_specification_passes() {
    let telemetry = text_only().init().expect("telemetry starts");
    let cases = cases(include_str!("baggage.txt"), fill);
    assert!(cases.len() > 50, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let expected = expected(&case.expected);
        for (carrier, context) in extract(&case.headers) {
            let read = entries(&context);
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
    let headers = proptest::collection::vec(header(), 0..=3);
    let result = runner.run(&headers, |values| {
        let headers: Vec<_> = values
            .iter()
            .map(|value| ("baggage".to_owned(), value.clone()))
            .collect();
        for (carrier, context) in extract(&headers) {
            let read = entries(&context);
            prop_assert_eq!(read, grammar::entries(&values), "{} {:?}", carrier, values);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn written_baggage_can_be_read_again() {
    let telemetry = text_only().init().expect("telemetry starts");
    let property = "[!#-'*+.0-9A-Z^-z|~-]{1,4}(=[!#-+.-:<-~&&[^\\\\]]{0,4})?";
    let properties = proptest::collection::vec(property, 0..3).prop_map(|list| list.join(";"));
    let entry = ("[!#-'*+.0-9A-Z^-z|~-]{1,8}", any::<String>(), properties);
    let baggage = proptest::collection::vec(entry, 0..8);
    let mut runner = TestRunner::new(Config::with_cases(2_000));
    let result = runner.run(&baggage, |list| {
        let mut baggage = Baggage::new();
        for (key, value, properties) in list {
            baggage.insert_with_metadata(key, value, properties);
        }
        let context = Context::new().with_baggage(baggage);
        let sent = inject(context.clone());
        let received = rustok_telemetry::propagation::extract_headers(&sent);
        prop_assert_eq!(entries(&received), entries(&context), "{:?}", sent);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn metadata_cannot_add_a_member() {
    let telemetry = text_only().init().expect("telemetry starts");
    for metadata in ["p,tenant_id=acme", "p;", "p q", "=", "p=\"q\""] {
        let mut baggage = Baggage::new();
        baggage.insert_with_metadata("a", "1", metadata);
        let sent = inject(Context::new().with_baggage(baggage));
        assert_eq!(sent["baggage"], "a=1", "{metadata}");
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn written_baggage_is_within_all_limits() {
    let telemetry = text_only().init().expect("telemetry starts");
    let mut baggage = Baggage::new();
    for number in 0..64 {
        baggage.insert(format!("key{number:02}"), " ".repeat(100));
    }
    assert_eq!(baggage.len(), 64);
    let context = Context::new().with_baggage(baggage);
    let sent = inject(context.clone());
    let header = sent["baggage"].to_str().expect("text");
    // 307 bytes each with their comma, of 8192.
    assert_eq!(header.split(',').count(), 26);
    assert!(header.len() <= 8192);
    let received = entries(&rustok_telemetry::propagation::extract_headers(&sent));
    let all = entries(&context);
    assert!(
        received
            .iter()
            .all(|(key, value)| all.get(key) == Some(value))
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn only_the_first_64_members_are_read() {
    let telemetry = text_only().init().expect("telemetry starts");
    for count in [64, 65, 200] {
        let members: Vec<_> = (0..count).map(|number| format!("n{number}=1")).collect();
        let (first, second) = members.split_at(40);
        let headers = [first, second].map(|list| ("baggage".to_owned(), list.join(",")));
        for (carrier, context) in extract(&headers) {
            let read: Vec<_> = entries(&context).into_keys().collect();
            let mut right: Vec<_> = (0..64).map(|number| format!("n{number}")).collect();
            right.sort_unstable();
            assert_eq!(read, right, "{count} members of {carrier}");
        }
    }
    let _ = telemetry.shutdown();
}

fn entries(context: &Context) -> Entries {
    let baggage = context.baggage().into_iter();
    baggage
        .map(|(key, (value, metadata))| {
            let entry = (value.as_str().to_owned(), metadata.as_str().to_owned());
            (key.as_str().to_owned(), entry)
        })
        .collect()
}

/// Lines such as `key: value ; properties`. A dot at the end of a value marks where it ends after a space.
fn expected(lines: &[String]) -> Entries {
    let lines = lines.iter().filter(|line| *line != "nothing");
    lines
        .map(|line| {
            let (key, rest) = line.split_once(": ").expect("an entry");
            let (value, properties) = rest.split_once(" ; ").unwrap_or((rest, ""));
            let value = value
                .strip_suffix(" .")
                .map_or(value.to_owned(), |value| format!("{value} "));
            (key.to_owned(), (value, properties.to_owned()))
        })
        .collect()
}

fn header() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        6 => "[ \t]?[a-cA-Z!#-'*+.^-`|~-]{1,3}[ \t]?=[ \t]?[!#-+.-:<-Z^-~\\]\\[]{0,6}[ \t]?(;[ \t]?[a-c]{1,2}[ ]?(=[ ]?[a-c=%]{0,3})?){0,2}",
        1 => "[a-c]=(%[0-9a-fA-F]{2}){1,3}",
        1 => "[a-c]=[ -~]{0,6}",
        1 => "[ -~]{0,6}",
        1 => "tenant_id=[a-b]?",
    ];
    proptest::collection::vec(member, 0..5).prop_map(|members| members.join(","))
}

/// The grammar of the specification, letter by letter. Nothing here is taken from the library. No generated header
/// reaches a limit.
mod grammar {
    use super::Entries;

    pub(super) fn entries(headers: &[String]) -> Entries {
        let mut entries = Entries::new();
        let mut tenants = Vec::new();
        let mut malformed_tenant = false;
        for text in headers.join(",").split(',') {
            let mut letters = Letters::of(text);
            match letters.member() {
                Some((key, value, properties)) => {
                    if key == "tenant_id" {
                        tenants.push(value.clone());
                    }
                    entries.insert(key, (value, properties));
                }
                None => {
                    let mut letters = Letters::of(text);
                    letters.ows();
                    let key = letters.token();
                    letters.ows();
                    let ends = matches!(letters.next(), None | Some('=' | ';'));
                    malformed_tenant |= key.as_deref() == Some("tenant_id") && ends;
                }
            }
        }
        tenants.dedup();
        if malformed_tenant || tenants.len() > 1 {
            entries.remove("tenant_id");
        }
        entries
    }

    struct Letters<'text>(std::iter::Peekable<std::str::Chars<'text>>);

    impl<'text> Letters<'text> {
        fn of(text: &'text str) -> Self {
            Self(text.chars().peekable())
        }

        fn next(&mut self) -> Option<char> {
            self.0.next()
        }

        fn member(&mut self) -> Option<(String, String, String)> {
            self.ows();
            let key = self.token()?;
            self.ows();
            self.0.next_if_eq(&'=')?;
            self.ows();
            let value = decoded(&self.value());
            let mut properties = Vec::new();
            loop {
                self.ows();
                match self.next() {
                    None => return Some((key, value, properties.join(";"))),
                    Some(';') => properties.push(self.property()?),
                    Some(_) => return None,
                }
            }
        }

        fn property(&mut self) -> Option<String> {
            self.ows();
            let key = self.token()?;
            self.ows();
            if self.0.next_if_eq(&'=').is_none() {
                return Some(key);
            }
            self.ows();
            Some(format!("{key}={}", self.value()))
        }

        fn ows(&mut self) {
            while self
                .0
                .next_if(|letter| matches!(letter, ' ' | '\t'))
                .is_some()
            {}
        }

        fn token(&mut self) -> Option<String> {
            let tchar = |letter: &char| {
                letter.is_ascii_alphanumeric()
                    || matches!(
                        letter,
                        '!' | '#'
                            | '$'
                            | '%'
                            | '&'
                            | '\''
                            | '*'
                            | '+'
                            | '-'
                            | '.'
                            | '^'
                            | '_'
                            | '`'
                            | '|'
                            | '~'
                    )
            };
            let text: String = std::iter::from_fn(|| self.0.next_if(tchar)).collect();
            (!text.is_empty()).then_some(text)
        }

        fn value(&mut self) -> String {
            let octet = |letter: &char| {
                matches!(
                    letter,
                    '\x21' | '\x23'..='\x2b' | '\x2d'..='\x3a' | '\x3c'..='\x5b' | '\x5d'..='\x7e'
                )
            };
            std::iter::from_fn(|| self.0.next_if(octet)).collect()
        }
    }

    fn decoded(text: &str) -> String {
        let bytes = text.as_bytes();
        let mut decoded = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let digits = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
            let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
            match digits {
                Some(digits) => {
                    let digits = str::from_utf8(digits).expect("digits");
                    decoded.push(u8::from_str_radix(digits, 16).expect("digits"));
                    at += 3;
                }
                None => {
                    decoded.push(bytes[at]);
                    at += 1;
                }
            }
        }
        String::from_utf8_lossy(&decoded).into_owned()
    }
}
