//! The YAML of a configuration file.
#![no_main]

use std::{fs, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use rustok_telemetry::config::TelemetryConfig;

/// A file of this process.
static PATH: LazyLock<String> = LazyLock::new(|| {
    let name = format!("rustok-telemetry-fuzz-{}.yaml", std::process::id());
    let path = std::env::temp_dir().join(name);
    path.to_str().expect("UTF-8").to_owned()
});

fuzz_target!(|text: &str| {
    fs::write(&*PATH, text).expect("the file can be written");
    let variables = [
        ("OTEL_CONFIG_FILE", PATH.as_str()),
        ("NAME", "value"),
        ("NUMBER", "5"),
    ];
    let config = TelemetryConfig::from_vars_tolerant(variables);
    let _ = config.report().to_string();
    for diagnostic in &config.diagnostics {
        assert!(!diagnostic.to_string().contains('\n'));
    }
});
