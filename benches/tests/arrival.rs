//! Every record of every benchmark arrives, in the text and over OTLP. The programs assert it; times are not looked at.

use std::process::Command;

#[test]
fn records_arrive_with_both_outlets() {
    assert_passes(&["record", "--outlets", "both"]);
}

#[test]
fn records_arrive_in_the_text_alone() {
    assert_passes(&["record", "--outlets", "text"]);
}

#[test]
fn everything_is_in_the_text_while_it_is_read() {
    assert_passes(&["prometheus-render"]);
}

#[test]
fn everything_is_held_that_memory_is_counted_for() {
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

/// From the present sources; `cargo xtask test` has built it with everything else.
fn build_service() {
    if std::env::var_os("RUSTOK_SERVER_IS_BUILT").is_some() {
        return;
    }
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "rustok-server", "--bins"])
        .status()
        .expect("cargo runs");
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
