//! Every record of every benchmark arrives, in the text and over OTLP. The programs assert it; times are not looked at.

use std::process::Command;

#[test]
fn records_arrive_over_otlp_and_in_the_text() {
    assert_passes(&["record", "--outlets", "both"]);
}

#[test]
fn records_arrive_in_text_only_setups() {
    assert_passes(&["record", "--outlets", "text"]);
}

#[test]
fn records_in_and_outside_of_spans_arrive() {
    assert_passes(&["exemplars", "--outlets", "text"]);
}

#[test]
fn every_series_is_in_the_text_during_a_scrape() {
    assert_passes(&["prometheus-render"]);
}

#[test]
fn memory_is_measured_with_all_series_stored() {
    assert_passes(&["memory"]);
}

#[test]
fn every_span_is_counted_and_arrives() {
    assert_passes(&["span-layer"]);
}

#[test]
fn every_request_is_counted_and_its_span_arrives() {
    assert_passes(&["http-layer"]);
}

#[test]
fn every_request_to_a_service_is_counted_and_its_spans_arrive() {
    build_service();
    assert_passes(&["http-service"]);
}

#[test]
fn every_request_is_in_the_console_and_pages_get_ticks() {
    assert_passes(&["console"]);
}

/// From the present sources, with the features that `cargo test --workspace` builds it with, where there is nothing left
/// to do then. The tests of a package come with its programs.
fn build_service() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--workspace", "--no-run", "--quiet"]);
    cargo.args(["--test", "service"]);
    for (name, _) in std::env::vars_os() {
        // Build scripts that watch these would run again.
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            cargo.env_remove(name);
        }
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "the service does not build");
}

fn assert_passes(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_rustok-benches"))
        .arg("--quick")
        .args(arguments)
        .output()
        .expect("the program runs");
    let [out, error] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{arguments:?}: {out}{error}");
    assert!(out.contains("**rustok-telemetry**"), "{arguments:?}: {out}");
}
