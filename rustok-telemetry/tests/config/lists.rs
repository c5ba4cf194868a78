//! Lists of percent-encoded pairs, for any text.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::btree_map;
use proptest::prelude::*;
use rustok_telemetry::config::{Headers, TelemetryConfig, parse_pairs};

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".*", decode_keys: bool) {
        if let Err(error) = parse_pairs(&text, decode_keys) {
            prop_assert!(error.position >= 1 && error.position <= text.split(',').count());
        }
        let _ = Headers::parse(&text);
    }

    #[test]
    fn text_that_looks_like_a_list_is_read_or_refused(text in "[a=,% 0-9A-F\u{e9}]{0,40}") {
        let _ = parse_pairs(&text, true);
        let _ = TelemetryConfig::from_vars([("OTEL_RESOURCE_ATTRIBUTES", text)]);
    }

    #[test]
    fn what_was_encoded_comes_back(pairs in btree_map(".{1,12}", ".{0,12}", 1..6)) {
        let pairs: Vec<(String, String)> = pairs.into_iter().collect();
        let list: Vec<String> =
            pairs.iter().map(|(key, value)| format!(" {} = {} ", encode(key), encode(value))).collect();
        prop_assert_eq!(parse_pairs(&list.join(","), true), Ok(pairs));
    }

    #[test]
    fn any_value_of_any_variable_is_read_or_refused(index in 0_usize..200, value in ".*") {
        let names: Vec<_> = crate::table::variables().map(|variable| variable.name).collect();
        let name = names[index % names.len()];
        if let Err(error) = TelemetryConfig::from_vars([(name, value)]) {
            prop_assert_eq!(error.diagnostics().len(), 1);
            prop_assert_eq!(error.diagnostics()[0].variable(), name);
        }
    }
}

/// A comma too many says nothing, as in any list of HTTP headers.
#[test]
fn empty_members_of_lists_are_ignored() {
    for (written, meant) in [
        ("team=web,", "team=web"),
        (" , team = web ,, region=eu , ", "team=web,region=eu"),
        (",", ""),
    ] {
        let pairs = parse_pairs(written, true).expect(written);
        let expected = match meant {
            "" => Vec::new(),
            meant => parse_pairs(meant, true).expect(meant),
        };
        assert_eq!(pairs, expected, "{written}");
        let read = |text: &str| {
            let config = TelemetryConfig::from_vars([
                ("OTEL_RESOURCE_ATTRIBUTES", text),
                ("OTEL_EXPORTER_OTLP_HEADERS", text),
            ]);
            let config = config.expect(text);
            let headers = config.traces.otlp.headers.value.iter();
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            (
                config.resource_attributes.value.clone(),
                headers.collect::<Vec<_>>(),
            )
        };
        assert_eq!(read(written), read(meant), "{written}");
    }
    let repeated = parse_pairs("a=1,,a=2", true).expect_err("twice");
    assert_eq!(repeated.to_string(), "pair 3 has the same key as pair 1");
    let late = parse_pairs("a=1,,,b", true).expect_err("no value");
    assert_eq!(late.position, 4);
}

#[test]
fn empty_names_in_lists_are_ignored_in_any_letter_case() {
    for (variable, written, meant) in [
        (
            "OTEL_PROPAGATORS",
            "TraceContext, ,baggage,",
            "tracecontext,baggage",
        ),
        ("OTEL_PROPAGATORS", "none,", "none"),
        ("OTEL_TRACES_EXPORTER", "OTLP,", "otlp"),
        ("OTEL_METRICS_EXPORTER", ",otlp,,Console ", "otlp,console"),
        ("OTEL_LOGS_EXPORTER", "None,", "none"),
    ] {
        let read = |text: &str| TelemetryConfig::from_vars([(variable, text)]).expect(text);
        assert_eq!(read(written), read(meant), "{variable}={written}");
    }
}
