//! Headers: what is accepted can be sent, and is not shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rustok_telemetry::config::Headers;

fuzz_target!(|text: &str| {
    if let Ok(headers) = Headers::parse(text) {
        assert_eq!(headers.to_header_map().len(), headers.iter().count());
        // What is shown is the same whatever the values are.
        let others = Headers::new(headers.iter().map(|(name, _)| (name, "other")));
        let others = others.expect("the same names");
        assert_eq!(format!("{headers:?} {headers}"), format!("{others:?} {others}"));
    }
});
