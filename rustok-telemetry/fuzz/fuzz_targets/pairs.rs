//! Lists of pairs: what is accepted says the same when it is written anew.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rustok_telemetry::config::parse_pairs;

fuzz_target!(|text: &str| {
    for decode_keys in [true, false] {
        let Ok(pairs) = parse_pairs(text, decode_keys) else {
            continue;
        };
        let encode = |text: &str| {
            let encoded = text.bytes().map(|byte| format!("%{byte:02X}"));
            encoded.collect::<String>()
        };
        let written: Vec<_> = pairs
            .iter()
            .map(|(key, value)| match decode_keys {
                true => format!("{}={}", encode(key), encode(value)),
                false => format!("{key}={}", encode(value)),
            })
            .collect();
        assert_eq!(parse_pairs(&written.join(","), decode_keys), Ok(pairs));
    }
});
