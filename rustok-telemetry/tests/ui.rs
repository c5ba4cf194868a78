//! What `#[metrics]` accepts, and what it says when it does not.
//!
//! `TRYBUILD=overwrite cargo test -p rustok-telemetry --test ui` writes the expected messages anew.

#[test]
fn metrics_macro() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
