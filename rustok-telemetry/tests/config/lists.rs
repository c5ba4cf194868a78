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
            prop_assert_eq!(error.problems().len(), 1);
            prop_assert_eq!(error.problems()[0].variable(), name);
        }
    }
}
