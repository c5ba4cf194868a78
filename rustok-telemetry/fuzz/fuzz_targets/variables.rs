//! Every variable: line N of the input is the value of variable N.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rustok_telemetry::{__private::SECTIONS, config::TelemetryConfig};

fuzz_target!(|text: &str| {
    let names = SECTIONS
        .iter()
        .flat_map(|section| section.variables)
        .map(|variable| variable.name)
        // Reading whatever file the input names is another target.
        .filter(|name| !name.ends_with("CONFIG_FILE"));
    let variables = names.zip(text.split('\n'));
    let config = TelemetryConfig::from_vars_tolerant(variables);
    let _ = config.report().to_string();
    let _ = config.warnings();
    for diagnostic in &config.diagnostics {
        assert!(!diagnostic.to_string().contains('\n'));
    }
    // What was tolerated has been mended: nothing wrong is left.
    assert!(config.check().is_ok(), "{:?}", config.check());
});
