//! Headers: what is accepted can be sent, and is not shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rustok_telemetry::config::Headers;

fuzz_target!(|text: &str| {
    if let Ok(headers) = Headers::parse(text) {
        assert_eq!(headers.to_header_map().len(), headers.iter().count());
        let names: String = headers.iter().map(|(name, _)| name).collect();
        let shown = format!("{headers:?} {headers}");
        for (_, value) in headers.iter() {
            let telling = value.len() > 8 && !names.contains(value);
            assert!(!telling || !shown.contains(value), "{shown}");
        }
    }
});
